libwspi_la_SOURCES += lib/live/pool_int.h lib/live/pool.c lib/live/crowd_int.h lib/live/crowd.c \
	lib/live/ring_int.h lib/live/ring.c lib/live/feed.c lib/live/prefix_int.h lib/live/prefix.c lib/live/tagger.c
check_PROGRAMS += test_live
test_live_SOURCES = tests/unit/test_live.c tests/unit/models.h
