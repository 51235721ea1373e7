libwspi_la_SOURCES += lib/flow/flow.c
check_PROGRAMS += test_flow
test_flow_SOURCES = tests/unit/test_flow.c
