/* SPDX-License-Identifier: Apache-2.0 */
/* page.c: what the HTML pages share: style sheet and writing. */
#include "page.h"

#include "cli.h"
#include "figure.h"

static const char style[] =
    ":root{--ink:#1c2430;--soft:#5c6878;--paper:#fff;--card:#f5f7fa;--line:#d9dfe7;--hit:#1f6feb;--"
    "miss:#d4492f;--second:#b7791f}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e9f0;--soft:#9aa6b6;--paper:#14181f;--card:#"
    "1d232d;--line:#333c4a;--hit:#58a6ff;--miss:#ff7b5c;--second:#e3b341}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:1180px;padding:24px 20px 60px;font:15px/1.5 "
    "system-ui,sans-serif;color:var(--ink);background:var(--paper)}\n"
    "h1{font-size:26px;margin:0}h2{font-size:21px;margin:44px 0 4px;border-top:1px solid "
    "var(--line);padding-top:20px}h3{font-size:15px;margin:0 0 6px}\n"
    "p{margin:4px 0 14px;color:var(--soft)}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:3px 12px 3px 0;text-align:right;border-bottom:1px solid "
    "var(--line);white-space:nowrap}\n"
    "th{font-weight:600;color:var(--soft)}th:first-child,td:first-child{text-align:left}\n"
    "tr.model td{font-weight:700}\n"
    ".tiles{display:flex;flex-wrap:wrap;gap:10px;margin:12px 0 18px}\n"
    ".tile{background:var(--card);border-radius:8px;padding:8px 14px;min-width:112px}.tile "
    "b{display:block;font-size:22px;font-variant-numeric:tabular-nums}.tile "
    "span{color:var(--soft);font-size:13px}\n"
    ".grid3{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:14px;margin:"
    "14px 0}\n"
    ".card{background:var(--card);border-radius:8px;padding:12px 14px;overflow-x:auto}\n"
    ".card p{font-size:13px;margin:4px 0 0}\n"
    "svg{width:100%;height:auto;display:block}\n"
    "svg text{fill:var(--soft);font:11px system-ui,sans-serif}svg .axis{font-size:12px}\n"
    "svg .grid{stroke:var(--line)}svg .ideal{stroke:var(--soft);stroke-dasharray:4 3}\n"
    "svg .bar{fill:var(--hit);fill-opacity:.25}svg .count{fill:var(--soft);fill-opacity:.55}\n"
    "svg .line{fill:none;stroke:var(--hit);stroke-width:2}svg .line.second{stroke:var(--second)}\n"
    "svg .point{fill:var(--hit)}svg .point.second{fill:var(--second)}\n"
    "svg .hit{fill:var(--hit)}svg .miss{fill:var(--miss)}svg .field{fill:none;stroke:var(--line)}\n"
    ".meter{display:inline-block;width:120px;height:9px;border-radius:5px;background:var(--line);"
    "vertical-align:middle}\n"
    ".meter i{display:block;height:9px;border-radius:5px;background:var(--hit)}\n"
    ".key{display:inline-block;width:10px;height:10px;border-radius:5px;margin:0 4px 0 "
    "10px;background:var(--hit)}.key.second{background:var(--second)}\n";

void page_head(FILE *f, const char *title, const char *more)
{
    (void)fprintf(
        f, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    figure_text(f, title);
    (void)fprintf(f, "</title>\n<style>\n%s%s</style></head><body>\n", style, more);
}

int page_write(const char *path, void (*print)(FILE *f, const void *arg), const void *arg)
{
    wsp_outfile f;
    wsp_error err;

    if (wsp_outfile_open(&f, path, false, &err) < 0)
        return cli_fail_error(&err);
    print(f.fp, arg);
    return wsp_outfile_commit(&f, &err) < 0 ? cli_fail_error(&err) : CLI_OK;
}
