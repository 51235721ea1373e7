libwspi_la_SOURCES += lib/packet/packet_int.h lib/packet/fields.c lib/packet/dissect.c lib/packet/build.c
