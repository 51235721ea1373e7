libwspi_la_SOURCES += \
	lib/token/token_int.h \
	lib/token/vocab.c \
	lib/token/context.c \
	lib/token/field.c \
	lib/token/code.c \
	lib/token/valid.c \
	lib/token/multicast.c \
	lib/token/host.c \
	lib/token/ndp.c \
	lib/token/ping.c \
	lib/token/quote.c \
	lib/token/json.h \
	lib/token/json.c \
	lib/token/text.c \
	lib/token/learned.h \
	lib/token/payload.c \
	lib/token/codec.c \
	lib/token/spans.c \
	lib/token/policy.c \
	lib/token/tokens_file.c \
	lib/token/tokens_writer.c \
	lib/token/join.c \
	lib/token/tokenizer.c \
	lib/token/detokenize.c \
	lib/token/store.h \
	lib/token/store.c \
	lib/token/bits.h \
	lib/token/bits.c \
	lib/token/app/app.h \
	lib/token/app/app.c \
	lib/token/app/dns_data.h \
	lib/token/app/dns_data.c \
	lib/token/app/dns_types.h \
	lib/token/app/dns_answer.h \
	lib/token/app/dns_answer.c \
	lib/token/app/dns.c \
	lib/token/app/browse.c \
	lib/token/app/tls.c \
	lib/token/app/tls_cert.h \
	lib/token/app/tls_cert.c \
	lib/token/app/tls_flight.h \
	lib/token/app/tls_lists.h \
	lib/token/app/tls_flight.c \
	lib/token/app/tls_hello.h \
	lib/token/app/tls_hello.c \
	lib/token/app/tls_other.h \
	lib/token/app/tls_other.c \
	lib/token/app/tls_offer.h \
	lib/token/app/tls_offer.c \
	lib/token/app/ntp.c \
	lib/token/app/modbus.c \
	lib/token/app/text_line.h \
	lib/token/app/text_line.c \
	lib/token/app/http.h \
	lib/token/app/http.c \
	lib/token/app/http_value.c \
	lib/token/app/http_words.c \
	lib/token/app/http_samples.c \
	lib/token/app/http_lists.c \
	lib/token/app/dhcp.c \
	lib/token/app/quic.c \
	lib/token/app/quic_crypto.h \
	lib/token/app/quic_crypto.c \
	lib/token/app/quic_hello.h \
	lib/token/app/quic_hello.c \
	lib/token/app/quic_frames.h \
	lib/token/app/quic_frames.c \
	lib/token/app/quic_initial.h \
	lib/token/app/quic_initial.c \
	lib/token/app/dnp3.c \
	lib/token/app/s7comm.c \
	lib/token/app/stun.c \
	lib/token/app/ssdp.c \
	lib/token/app/sip_lists.h \
	lib/token/app/sip.c \
	lib/token/app/rtsp.c \
	lib/token/app/radius.c \
	lib/token/app/mqtt_lists.h \
	lib/token/app/mqtt.c \
	lib/token/app/dhcpv6.c \
	lib/token/app/dhcpv6_samples.h \
	lib/token/app/dhcpv6_samples.c \
	lib/token/app/coap.c \
	lib/token/app/tftp.c \
	lib/token/app/bacnet.c \
	lib/token/app/bacnet_samples.h \
	lib/token/app/bacnet_samples.c \
	lib/token/app/syslog.c \
	lib/token/app/redis.c \
	lib/token/app/oncrpc.c \
	lib/token/app/rtp.c \
	lib/token/app/rtp_lists.h \
	lib/token/app/rtp_samples.h \
	lib/token/app/rtp_samples.c \
	lib/token/app/dtls.c \
	lib/token/app/dcerpc.h \
	lib/token/app/dcerpc.c \
	lib/token/app/dcerpc_cl.c \
	lib/token/app/dcerpc_lists.c \
	lib/token/app/dcerpc_stubs.c \
	lib/token/app/smb.h \
	lib/token/app/smb.c \
	lib/token/app/smb1.c \
	lib/token/app/smb1_samples.c \
	lib/token/app/smb2.c \
	lib/token/app/smb_body.c \
	lib/token/app/smb_token.c \
	lib/token/app/smb_lists.c \
	lib/token/app/lines.h \
	lib/token/app/lines_smtp.h \
	lib/token/app/lines_pop3.h \
	lib/token/app/lines_imap.h \
	lib/token/app/lines_ftp.h \
	lib/token/app/lines.c \
	lib/token/app/lines_words.c \
	lib/token/app/lines_find.c \
	lib/token/app/lines_dialog.c \
	lib/token/app/lines_text.c \
	lib/token/app/ssh.h \
	lib/token/app/ssh.c \
	lib/token/app/ssh_words.c \
	lib/token/app/ssh_samples.c \
	lib/token/app/ber.h \
	lib/token/app/ber_head.h \
	lib/token/app/ber_head.c \
	lib/token/app/ber.c \
	lib/token/app/snmp_samples.h \
	lib/token/app/snmp_samples.c \
	lib/token/app/snmp.c \
	lib/token/app/ldap_samples.h \
	lib/token/app/ldap_samples.c \
	lib/token/app/ldap.c \
	lib/token/app/kerberos_samples.h \
	lib/token/app/kerberos_samples.c \
	lib/token/app/kerberos.c \
	lib/token/app/ike_sa.h \
	lib/token/app/ike_lists.h \
	lib/token/app/ike_sa.c \
	lib/token/app/ike.c
check_PROGRAMS += test_codec
test_codec_SOURCES = tests/unit/test_codec.c
check_PROGRAMS += test_dhcp
test_dhcp_SOURCES = tests/unit/test_dhcp.c tests/unit/wire.h
check_PROGRAMS += test_web
test_web_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
test_web_SOURCES = tests/unit/test_web.c
check_PROGRAMS += check_corpus
check_corpus_SOURCES = tests/corpus/check_corpus.c
check_PROGRAMS += test_industrial
test_industrial_SOURCES = tests/unit/test_industrial.c tests/unit/wire.h
check_PROGRAMS += test_quic
test_quic_SOURCES = tests/unit/test_quic.c tests/unit/wire.h
check_PROGRAMS += test_tls
test_tls_SOURCES = tests/unit/test_tls.c tests/unit/wire.h
check_PROGRAMS += test_hellos
test_hellos_SOURCES = tests/unit/test_hellos.c tests/unit/wire.h
check_PROGRAMS += test_stun
test_stun_SOURCES = tests/unit/test_stun.c tests/unit/wire.h
check_PROGRAMS += test_group
test_group_SOURCES = tests/unit/test_group.c tests/unit/wire.h
check_PROGRAMS += test_ndp
test_ndp_SOURCES = tests/unit/test_ndp.c tests/unit/wire.h
check_PROGRAMS += test_quote
test_quote_SOURCES = tests/unit/test_quote.c tests/unit/wire.h
check_PROGRAMS += test_names test_dns_samples
test_dns_samples_SOURCES = tests/unit/test_dns_samples.c tests/unit/wire.h
test_names_SOURCES = tests/unit/test_names.c tests/unit/wire.h
check_PROGRAMS += test_snmp_samples
test_snmp_samples_SOURCES = tests/unit/test_snmp_samples.c tests/unit/wire.h
check_PROGRAMS += test_clocks
test_clocks_SOURCES = tests/unit/test_clocks.c tests/unit/wire.h
check_PROGRAMS += test_http_samples
test_http_samples_SOURCES = tests/unit/test_http_samples.c tests/unit/wire.h
check_PROGRAMS += test_sip_samples
test_sip_samples_SOURCES = tests/unit/test_sip_samples.c tests/unit/wire.h
check_PROGRAMS += test_dialects
test_dialects_SOURCES = tests/unit/test_dialects.c tests/unit/wire.h
check_PROGRAMS += test_radius
test_radius_SOURCES = tests/unit/test_radius.c tests/unit/wire.h
check_PROGRAMS += test_mqtt
test_mqtt_SOURCES = tests/unit/test_mqtt.c tests/unit/wire.h
check_PROGRAMS += test_dhcpv6
test_dhcpv6_SOURCES = tests/unit/test_dhcpv6.c tests/unit/wire.h
check_PROGRAMS += test_coap
test_coap_SOURCES = tests/unit/test_coap.c tests/unit/wire.h
check_PROGRAMS += test_syslog
test_syslog_SOURCES = tests/unit/test_syslog.c tests/unit/wire.h
check_PROGRAMS += test_oncrpc
test_oncrpc_SOURCES = tests/unit/test_oncrpc.c tests/unit/wire.h
check_PROGRAMS += test_rtp
test_rtp_SOURCES = tests/unit/test_rtp.c tests/unit/wire.h
check_PROGRAMS += test_ike
test_ike_SOURCES = tests/unit/test_ike.c tests/unit/wire.h
check_PROGRAMS += test_redis
test_redis_SOURCES = tests/unit/test_redis.c tests/unit/wire.h
check_PROGRAMS += test_tftp
test_tftp_SOURCES = tests/unit/test_tftp.c tests/unit/wire.h
check_PROGRAMS += test_bacnet
test_bacnet_SOURCES = tests/unit/test_bacnet.c tests/unit/wire.h
check_PROGRAMS += test_lines
test_lines_SOURCES = tests/unit/test_lines.c tests/unit/wire.h
check_PROGRAMS += test_ssh
test_ssh_SOURCES = tests/unit/test_ssh.c tests/unit/wire.h
check_PROGRAMS += test_ber
test_ber_SOURCES = tests/unit/test_ber.c tests/unit/wire.h
check_PROGRAMS += test_dtls
test_dtls_SOURCES = tests/unit/test_dtls.c tests/unit/wire.h
check_PROGRAMS += test_dcerpc
test_dcerpc_SOURCES = tests/unit/test_dcerpc.c tests/unit/wire.h
check_PROGRAMS += test_smb
test_smb_SOURCES = tests/unit/test_smb.c tests/unit/wire.h
check_PROGRAMS += test_wrap
test_wrap_SOURCES = tests/unit/test_wrap.c tests/unit/wraps.h tests/unit/wire.h
