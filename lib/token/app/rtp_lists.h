/* SPDX-License-Identifier: Apache-2.0 */
/* rtp_lists.h: numbers of RTP and RTCP that have a name, for rtp.c: those that samples have first. */
#ifndef WSPI_RTP_LISTS_H
#define WSPI_RTP_LISTS_H

#include "token/app/app.h"

enum { SR = 200, RR, SDES, BYE, APP, RTPFB, PSFB, XR };
enum { CNAME = 1, TOOL = 6, PRIV = 8 };

/* RFC 3551 6 and, from 96 on, what is agreed on elsewhere. Samples have the first ones; readers take 101 for events. */
enum { SAMPLED_TYPES = 6 };
static const wspi_value type[] = {
    {0, "pcmu"},     {8, "pcma"},     {96, "96"},     {97, "97"},   {98, "98"},
    {111, "111"},    {18, "g729"},    {101, "101"},   {9, "g722"},  {3, "gsm"},
    {4, "g723"},     {5, "dvi4-8"},   {6, "dvi4-16"}, {7, "lpc"},   {10, "l16-stereo"},
    {11, "l16"},     {12, "qcelp"},   {13, "cn"},     {14, "mpa"},  {15, "g728"},
    {16, "dvi4-11"}, {17, "dvi4-22"}, {19, "cn-old"}, {25, "celb"}, {26, "jpeg"},
    {28, "nv"},      {31, "h261"},    {32, "mpv"},    {33, "mp2t"}, {34, "h263"},
    {99, "99"},      {100, "100"},    {102, "102"},   {103, "103"}, {104, "104"},
    {105, "105"},    {106, "106"},    {107, "107"},   {108, "108"}, {109, "109"},
    {110, "110"},    {112, "112"},    {113, "113"},   {114, "114"}, {115, "115"},
    {116, "116"},    {117, "117"},    {118, "118"},   {119, "119"}, {120, "120"},
    {121, "121"},    {122, "122"},    {123, "123"},   {124, "124"}, {125, "125"},
    {126, "126"},    {127, "127"},    {0, NULL}};

enum { EXTENDED = 1, PADDED = 2 };
static const wspi_value flags[] = {
    {0, "plain"}, {EXTENDED, "extended"}, {PADDED, "padded"}, {3, "padded-extended"}, {0, NULL}};
static const wspi_value marker[] = {{0, "off"}, {1, "on"}, {0, NULL}};
/* RFC 8285, ONVIF's replay and what codecs of older systems have. */
enum { ONE_BYTE = 0xbede };
static const wspi_value profile[] = {{ONE_BYTE, "one-byte"}, {0x1000, "two-byte"},
                                     {0xabac, "onvif"},      {0xabad, "onvif-jpeg"},
                                     {0xffd8, "jpeg"},       {0, NULL}};

/* Of RFC 8285 4.2: what they are was agreed on elsewhere, but programs number them alike. */
static const wspi_value element[] = {{1, "1"},   {2, "2"},   {3, "3"},   {4, "4"},   {5, "5"},
                                     {6, "6"},   {7, "7"},   {8, "8"},   {9, "9"},   {10, "10"},
                                     {11, "11"}, {12, "12"}, {13, "13"}, {14, "14"}, {0, NULL}};

/* Type, and of feedback (RFC 4585, 5104, 8888) its format. Samples begin with one of the first two and go on with the next. */
enum { REPORTS = 2, DESCRIPTION = 2 };
#define KIND(type, format) ((type) << 8 | (format))
static const wspi_value rtcp[] = {{KIND(SR, 0), "sr"},
                                  {KIND(RR, 0), "rr"},
                                  {KIND(SDES, 0), "sdes"},
                                  {KIND(BYE, 0), "bye"},
                                  {KIND(APP, 0), "app"},
                                  {KIND(XR, 0), "xr"},
                                  {KIND(RTPFB, 1), "nack"},
                                  {KIND(RTPFB, 3), "tmmbr"},
                                  {KIND(RTPFB, 4), "tmmbn"},
                                  {KIND(RTPFB, 5), "resynchronise"},
                                  {KIND(RTPFB, 8), "ecn"},
                                  {KIND(RTPFB, 11), "congestion"},
                                  {KIND(RTPFB, 15), "transport-cc"},
                                  {KIND(PSFB, 1), "pli"},
                                  {KIND(PSFB, 2), "sli"},
                                  {KIND(PSFB, 3), "rpsi"},
                                  {KIND(PSFB, 4), "fir"},
                                  {KIND(PSFB, 5), "tstr"},
                                  {KIND(PSFB, 15), "remb"},
                                  {KIND(192, 0), "fir-old"},
                                  {KIND(193, 0), "nack-old"},
                                  {KIND(195, 0), "jitter"},
                                  {KIND(208, 0), "avb"},
                                  {KIND(209, 0), "rsi"},
                                  {0, NULL}};

/* Samples have the first, then perhaps the second. */
static const wspi_value item[] = {{CNAME, "cname"}, {TOOL, "tool"}, {2, "name"},
                                  {3, "email"},     {4, "phone"},   {5, "loc"},
                                  {7, "note"},      {PRIV, "priv"}, {0, NULL}};

#endif
