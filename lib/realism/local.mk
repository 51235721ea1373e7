libwspi_la_SOURCES += lib/realism/realism_int.h lib/realism/measure.c lib/realism/distance.c lib/realism/faults.c lib/realism/traffic.c \
	lib/realism/verbatim.h lib/realism/verbatim.c lib/realism/novelty.c lib/realism/discriminator.c lib/realism/markov.c lib/realism/bytes.c
check_PROGRAMS += test_realism
test_realism_SOURCES = tests/unit/test_realism.c
