# Programs of the benchmarks: made by "make bench" alone. pcaploop and race know nothing of the library.
BENCH_TOOLS = bench_replicate bench_stages bench_pcaploop bench_race bench_engine
EXTRA_PROGRAMS += $(BENCH_TOOLS)
bench_replicate_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)/include
bench_replicate_SOURCES = tests/bench/replicate.c
bench_replicate_LDADD = libwirespeak.la
bench_stages_SOURCES = tests/bench/stages.c
bench_stages_LDADD = libwspi.la
bench_pcaploop_SOURCES = tests/bench/pcaploop.c
bench_pcaploop_LDADD = $(PCAP_LIBS)
bench_race_CPPFLAGS = -D_GNU_SOURCE
bench_race_SOURCES = tests/bench/race.c
bench_race_LDADD =
bench_engine_SOURCES = tests/bench/engine.c
bench_engine_LDADD = libwspi.la $(LIBM)
