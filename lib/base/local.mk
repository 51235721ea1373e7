# The floor: errors, memory, buffers, cursor, random numbers.
libwspi_la_SOURCES += lib/base/base.c lib/base/base.h
check_PROGRAMS += test_base
test_base_SOURCES = tests/unit/test_base.c
test_base_LDADD = $(TEST_LIBS)
