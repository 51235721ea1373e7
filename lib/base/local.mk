# The floor: errors, memory, buffers, cursor, random numbers.
libwspi_la_SOURCES += lib/base/base.c lib/base/base.h lib/base/printable.c lib/base/number.c lib/base/outfile.c lib/base/order0.c lib/base/order0.h lib/base/crypto.c lib/base/crypto.h \
	lib/base/json.c lib/base/json.h
check_PROGRAMS += test_base test_order0
test_base_SOURCES = tests/unit/test_base.c
test_order0_SOURCES = tests/unit/test_order0.c
