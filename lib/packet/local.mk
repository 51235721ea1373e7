libwspi_la_SOURCES += lib/packet/packet_int.h lib/packet/protos.c lib/packet/dissect.c lib/packet/wrap.c lib/packet/build.c \
	lib/packet/proto/eth.c lib/packet/proto/llc.c lib/packet/proto/vlan.c lib/packet/proto/sll.c \
	lib/packet/proto/null.c lib/packet/proto/ppp.c lib/packet/proto/pppoe.c lib/packet/proto/mpls.c \
	lib/packet/proto/arp.c lib/packet/proto/ipv4.c lib/packet/proto/ipv6.c lib/packet/proto/ipsec.c \
	lib/packet/proto/icmp.c lib/packet/proto/igmp.c lib/packet/proto/udp.c lib/packet/proto/tcp.c \
	lib/packet/proto/sctp.c lib/packet/proto/gre.c lib/packet/proto/vxlan.c lib/packet/proto/gtpu.c \
	lib/packet/proto/overlay.c lib/packet/proto/erspan.c lib/packet/proto/port_tag.c lib/packet/proto/wifi.c
