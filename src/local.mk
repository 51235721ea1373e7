# The program: argument parsing and output only. It sees the public headers and nothing else of the library.
bin_PROGRAMS += wirespeak
wirespeak_CPPFLAGS = -D_GNU_SOURCE -DMODELS_FOLDER='"$(pkgdatadir)"' -I$(top_srcdir)/include $(JANSSON_CFLAGS) $(REDIS_CFLAGS) $(KAFKA_CFLAGS) $(SECCOMP_CFLAGS)
wirespeak_SOURCES = src/main.c src/cli.h src/options.c src/clash.h src/clash.c src/line.h src/line.c src/eve.h src/eve.c src/cmd_classify.c src/cmd_calibrate.c src/cmd_grow.c src/cmd_eval.c src/cmd_train.c src/cmd_explain.c src/cmd_tokenize.c src/cmd_detokenize.c src/cmd_label.c src/cmd_generate.c src/cmd_info.c src/cmd_split.c src/cmd_forge.c src/labelling.h src/labelling.c src/source.h src/source.c src/report.h src/report.c src/report_html.c src/figure.h src/figure.c
wirespeak_SOURCES += src/page.h src/page.c src/cmd_eval_generated.c src/realism.h src/realism_report.c src/realism_html.c src/tshark.h src/tshark.c
wirespeak_SOURCES += src/cmd_embed.c src/captures.h src/captures.c src/flow_run.h src/flow_run.c src/verdict.h src/verdict.c src/flow_out.h src/flow_out.c src/flow_sums.c src/only.h src/only.c src/capture_out.h src/capture_out.c src/host_out.h src/host_out.c src/beside.h src/beside.c src/ranking.h src/ranking.c src/progress.h src/progress.c
wirespeak_LDADD = libwirespeak.la $(JANSSON_LIBS) $(REDIS_LIBS) $(KAFKA_LIBS) $(SECCOMP_LIBS)
dist_man_MANS += man/wirespeak.1 man/wirespeak-classify.1 man/wirespeak-train.1 man/wirespeak-calibrate.1 man/wirespeak-grow.1 man/wirespeak-eval.1 man/wirespeak-explain.1 man/wirespeak-tokenize.1 man/wirespeak-detokenize.1 man/wirespeak-label.1 man/wirespeak-generate.1 man/wirespeak-info.1 man/wirespeak-split.1 man/wirespeak-forge.1 man/wirespeak-tag.1 man/wirespeak-tokens.7 man/wirespeak-tokens-file.5 man/wirespeak-model.5
dist_man_MANS += man/wirespeak-embed.1
check_PROGRAMS += test_options test_line test_sink test_outlet
test_options_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/src
wirespeak_SOURCES += src/cmd_enroll.c src/said.h src/said.c
dist_man_MANS += man/wirespeak-enroll.1
test_options_SOURCES = tests/unit/test_options.c src/options.c src/clash.c src/clash.h src/cli.h
test_line_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/src $(JANSSON_CFLAGS)
test_line_SOURCES = tests/unit/test_line.c src/line.c src/line.h src/eve.c src/eve.h
# without Kafka
test_sink_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/src
test_sink_SOURCES = tests/unit/test_sink.c src/sink.c src/sink.h src/sink_socket.c src/options.c src/clash.c src/clash.h src/cli.h
test_sink_LDADD = $(LDADD)
test_outlet_CPPFLAGS = $(test_line_CPPFLAGS)
test_outlet_SOURCES = tests/unit/test_outlet.c src/outlet.c src/outlet.h src/sink.c src/sink.h src/sink_socket.c src/line.c src/line.h src/eve.c src/eve.h src/options.c src/clash.c src/clash.h src/cli.h
wirespeak_SOURCES += src/fuzzing.h src/fuzzing.c src/corpus.h src/corpus.c src/token_sets.h src/token_sets.c src/rival.h src/rival.c src/trained.h src/trained.c src/answer_file.h src/answer_file.c src/columns.h src/columns.c src/unseen.h src/unseen.c

# tag, and a broker for the test of its outputs
wirespeak_SOURCES += src/cmd_tag.c src/outlet.h src/outlet.c src/http_request.h src/http_request.c src/metrics_server.h src/metrics_server.c src/guard.h src/guard.c \
	src/sink.h src/sink.c src/sink_socket.c
if WITH_REDIS
wirespeak_SOURCES += src/sink_redis.c
test_sink_CPPFLAGS += $(REDIS_CFLAGS)
test_sink_SOURCES += src/sink_redis.c
test_sink_LDADD += $(REDIS_LIBS)
endif
if WITH_KAFKA
wirespeak_SOURCES += src/sink_kafka.c
check_PROGRAMS += kafka_mock
kafka_mock_CPPFLAGS = -D_GNU_SOURCE $(KAFKA_CFLAGS)
kafka_mock_SOURCES = tests/cli/kafka_mock.c
kafka_mock_LDADD = $(KAFKA_LIBS)
endif
# What eval says of generated captures.
wirespeak_SOURCES += src/baseline.h src/baseline.c src/asked.h src/asked.c
# train and generate end between two steps.
wirespeak_SOURCES += src/stop.h src/stop.c
# Models that come with the program.
wirespeak_SOURCES += src/shipped.h src/shipped.c
