libwspi_la_SOURCES += lib/token/token_int.h lib/token/vocab.c lib/token/context.c lib/token/field.c \
	lib/token/code.c lib/token/valid.c lib/token/text.c lib/token/learned.h lib/token/payload.c lib/token/codec.c lib/token/spans.c lib/token/policy.c lib/token/tokens_file.c lib/token/tokens_writer.c lib/token/tokenizer.c \
	lib/token/detokenize.c lib/token/store.h lib/token/store.c \
	lib/token/bits.h lib/token/bits.c \
	lib/token/app/app.h lib/token/app/app.c lib/token/app/dns.c lib/token/app/tls.c lib/token/app/ntp.c lib/token/app/modbus.c \
	lib/token/app/http.h lib/token/app/http.c lib/token/app/http_words.c lib/token/app/dhcp.c \
	lib/token/app/quic.c lib/token/app/dnp3.c lib/token/app/s7comm.c lib/token/app/stun.c \
	lib/token/app/ber.h lib/token/app/ber.c lib/token/app/snmp.c lib/token/app/ldap.c lib/token/app/kerberos.c
check_PROGRAMS += test_codec
test_codec_SOURCES = tests/unit/test_codec.c
test_codec_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_web
test_web_SOURCES = tests/unit/test_web.c
test_web_LDADD = $(TEST_LIBS)
check_PROGRAMS += check_corpus
check_corpus_SOURCES = tests/corpus/check_corpus.c
check_corpus_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_industrial
test_industrial_SOURCES = tests/unit/test_industrial.c tests/unit/wire.h
test_industrial_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_stun
test_stun_SOURCES = tests/unit/test_stun.c tests/unit/wire.h
test_stun_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_ber
test_ber_SOURCES = tests/unit/test_ber.c tests/unit/wire.h
test_ber_LDADD = $(TEST_LIBS)
