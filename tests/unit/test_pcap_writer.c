/* SPDX-License-Identifier: Apache-2.0 */
/* test_pcap_writer.c: how long packets may be that are written to pcap files: what libpcap reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "capture/capture_int.h"

static const char *const path = "test_pcap_writer.pcap";

static void assert_reads_back(const wsp_frame *f, uint32_t most)
{
    wsp_capture_info info;
    wsp_frame back;
    wsp_input *in;

    assert_int_equal(wsp_input_new(&in, &path, 1, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, NULL), WSP_OK);
    assert_int_equal(info.snaplen, most);
    assert_int_equal(wsp_input_next(in, &back, NULL), WSP_OK);
    assert_int_equal(back.caplen, f->caplen);
    assert_memory_equal(back.data, f->data, f->caplen);
    assert_int_equal(wsp_input_next(in, &back, NULL), WSP_EOF);
    wsp_input_free(in);
}

/* Messages of D-Bus are longer than any packet of Ethernet. */
static void how_long_packets_may_be_depends_on_the_link(void **state)
{
    static const struct {
        int linktype;
        uint32_t most;
    } links[] = {{1, 262144}, {231, 128 << 20}, {249, 1 << 20}, {279, 8 << 20}};
    const uint32_t room = 8 << 20;
    uint8_t *bytes = wspi_new_array(room, 1);
    wsp_frame f = {.data = bytes};
    wsp_pcap_writer *w;

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < WSPI_COUNT(links); i++) {
        assert_int_equal(wsp_pcap_writer_open(&w, path, links[i].linktype, NULL), WSP_OK);
        f.caplen = f.wirelen = links[i].most + 1;
        assert_int_equal(wsp_pcap_writer_add(w, &f, NULL), WSP_ERR_LIMIT);
        f.caplen = f.wirelen = WSPI_MIN(links[i].most, room);
        bytes[f.caplen - 1] = 7;
        assert_int_equal(wsp_pcap_writer_add(w, &f, NULL), WSP_OK);
        assert_int_equal(wsp_pcap_writer_close(w, NULL), WSP_OK);
        assert_reads_back(&f, links[i].most);
    }
    assert_int_equal(remove(path), 0);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_long_packets_may_be_depends_on_the_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
