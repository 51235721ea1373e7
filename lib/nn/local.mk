libwspi_la_SOURCES += lib/nn/attention.c lib/nn/dnnl.c lib/nn/fast_int.h lib/nn/int8.c lib/nn/ops.h \
	lib/nn/pointwise.c lib/nn/ref.c lib/nn/scan.c lib/nn/small.c
check_PROGRAMS += test_nn
test_nn_SOURCES = tests/unit/test_nn.c
