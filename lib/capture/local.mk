libwspi_la_SOURCES += lib/capture/capture_int.h lib/capture/input_int.h
libwspi_la_SOURCES += lib/capture/bytesource.c lib/capture/unpack.c lib/capture/savefile.c lib/capture/input.c
libwspi_la_SOURCES += lib/capture/outfile.c lib/capture/pcap_writer.c lib/capture/zip.c lib/capture/squeeze.c
check_PROGRAMS += test_capture test_squeeze
test_capture_SOURCES = tests/unit/test_capture.c
test_capture_LDADD = $(TEST_LIBS)
test_squeeze_SOURCES = tests/unit/test_squeeze.c
test_squeeze_LDADD = $(TEST_LIBS)
