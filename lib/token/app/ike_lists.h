/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ike_lists.h: numbers of IKE and their names, from the registries "ISAKMP", "IPSEC" and "IKEv2 Parameters" of IANA. The
 * lists begin with what samples have.
 */
#ifndef WSPI_IKE_LISTS_H
#define WSPI_IKE_LISTS_H

#include "token/app/app.h"

/* How a message is carried, RFC 3948 2. */
enum { PLAIN, MARKED, ESP_IN_UDP, KEEPALIVE };
static const wspi_value form[] = {
    {PLAIN, "plain"}, {MARKED, "marked"}, {ESP_IN_UDP, "esp"}, {KEEPALIVE, "keepalive"}, {0, NULL}};

/* Version and exchange type, as the two bytes that they are. */
enum {
    MAIN = 0x1002,
    AGGRESSIVE = 0x1004,
    INFORMATIONAL = 0x1005,
    TRANSACTION = 0x1006,
    QUICK = 0x1020,
    NEW_GROUP = 0x1021,
    SA_INIT = 0x2022,
    AUTH = 0x2023,
};
enum { AT_SA_INIT, AT_AGGRESSIVE, AT_MAIN, AT_QUICK, AT_AUTH, AT_LATER };
static const wspi_value exchange[] = {{SA_INIT, "sa-init"},
                                      {AGGRESSIVE, "aggressive"},
                                      {MAIN, "main"},
                                      {QUICK, "quick"},
                                      {AUTH, "auth"},
                                      {0x2024, "create-child"},
                                      {0x2025, "informational"},
                                      {INFORMATIONAL, "v1-informational"},
                                      {TRANSACTION, "transaction"},
                                      {NEW_GROUP, "new-group"},
                                      {0x1001, "base"},
                                      {0x1003, "auth-only"},
                                      {0x2026, "session-resume"},
                                      {0x2027, "gsa-auth"},
                                      {0x2028, "gsa-registration"},
                                      {0x2029, "gsa-rekey"},
                                      {0x202b, "intermediate"},
                                      {0x202c, "followup-ke"},
                                      {0, NULL}};

enum { ENCRYPTED = 0x01, INITIATOR_FLAG = 0x08, RESPONSE = 0x20 };
static const wspi_value flags[] = {{0x08, "initiator"},
                                   {0x20, "response"},
                                   {0x28, "initiator-response"},
                                   {0x00, "none"},
                                   {0x01, "encrypted"},
                                   {0x02, "commit"},
                                   {0x03, "encrypted-commit"},
                                   {0x04, "authentication"},
                                   {0x18, "initiator-version"},
                                   {0x30, "response-version"},
                                   {0, NULL}};

/* The message's number, and that of ESP, against the last one. */
enum { ZERO, SAME, NEXT, NEW };
static const wspi_value step[] = {
    {ZERO, "zero"}, {SAME, "same"}, {NEXT, "next"}, {NEW, "new"}, {0, NULL}};

enum {
    V1_SA = 1,
    V1_KE = 4,
    V1_ID = 5,
    V1_NOTIFY = 11,
    V1_VENDOR = 13,
    V1_NAT_D = 20,
    V1_NAT_D_DRAFT = 130,
    V1_FRAGMENT = 132,
    SA = 33,
    KE = 34,
    NOTIFICATION = 41,
    VENDOR_ID = 43,
    SK = 46,
    SKF = 53
};
enum {
    AT_SA,
    AT_KE,
    AT_NONCE,
    AT_NOTIFY,
    AT_VENDOR,
    AT_SK,
    AT_V1_SA,
    AT_V1_KE,
    AT_V1_NONCE,
    AT_V1_ID,
    AT_V1_VENDOR,
    AT_V1_NAT_D,
    AT_V1_HASH
};
static const wspi_value payload[] = {{SA, "sa"},
                                     {KE, "ke"},
                                     {40, "nonce"},
                                     {NOTIFICATION, "notify"},
                                     {VENDOR_ID, "vendor"},
                                     {SK, "encrypted"},
                                     {V1_SA, "v1-sa"},
                                     {V1_KE, "v1-ke"},
                                     {10, "v1-nonce"},
                                     {V1_ID, "v1-id"},
                                     {V1_VENDOR, "v1-vendor"},
                                     {V1_NAT_D, "v1-nat-d"},
                                     {8, "v1-hash"},
                                     {6, "v1-cert"},
                                     {7, "v1-certreq"},
                                     {9, "v1-signature"},
                                     {V1_NOTIFY, "v1-notify"},
                                     {12, "v1-delete"},
                                     {14, "v1-config"},
                                     {21, "v1-nat-oa"},
                                     {V1_NAT_D_DRAFT, "v1-nat-d-draft"},
                                     {131, "v1-nat-oa-draft"},
                                     {V1_FRAGMENT, "v1-fragment"},
                                     {35, "id-initiator"},
                                     {36, "id-responder"},
                                     {37, "cert"},
                                     {38, "certreq"},
                                     {39, "auth"},
                                     {42, "delete"},
                                     {44, "ts-initiator"},
                                     {45, "ts-responder"},
                                     {47, "config"},
                                     {48, "eap"},
                                     {49, "password"},
                                     {SKF, "encrypted-fragment"},
                                     {54, "puzzle"},
                                     {0, "none"},
                                     {0, NULL}};

/* Those of IKEv1 are 0x10000 more. `len`: bytes of data that are usual. */
enum { INVALID_KE = 17, BY_SAMPLES = 5 };
static const wspi_value notify[] = {{16388, "nat-source"},
                                    {16389, "nat-destination"},
                                    {16430, "fragmentation"},
                                    {16406, "redirect-supported"},
                                    {16418, "childless"},
                                    {16431, "signature-hashes"},
                                    {16390, "cookie"},
                                    {INVALID_KE, "invalid-ke"},
                                    {14, "no-proposal"},
                                    {16404, "multiple-auth"},
                                    {16407, "redirect"},
                                    {16408, "redirected-from"},
                                    {1, "unsupported-critical"},
                                    {4, "invalid-spi"},
                                    {5, "invalid-version"},
                                    {7, "invalid-syntax"},
                                    {9, "invalid-message-id"},
                                    {11, "invalid-esp-spi"},
                                    {24, "authentication-failed"},
                                    {34, "single-pair"},
                                    {36, "internal-address-failure"},
                                    {38, "ts-unacceptable"},
                                    {43, "temporary-failure"},
                                    {44, "no-child-sa"},
                                    {16384, "initial-contact"},
                                    {16385, "window-size"},
                                    {16387, "ipcomp"},
                                    {16391, "transport-mode"},
                                    {16392, "cert-lookup"},
                                    {16393, "rekey"},
                                    {16394, "tfc-padding"},
                                    {16395, "non-first-fragments"},
                                    {16396, "mobike"},
                                    {16403, "auth-lifetime"},
                                    {16417, "eap-only"},
                                    {16419, "quick-crash"},
                                    {16435, "ppk"},
                                    {16438, "intermediate"},
                                    {16441, "additional-ke"},
                                    {0x10001, "v1-invalid-payload"},
                                    {0x10004, "v1-invalid-cookie"},
                                    {0x10005, "v1-invalid-major"},
                                    {0x10007, "v1-invalid-exchange"},
                                    {0x10009, "v1-invalid-message-id"},
                                    {0x1000b, "v1-invalid-spi"},
                                    {0x1000e, "v1-no-proposal"},
                                    {0x10010, "v1-malformed"},
                                    {0x10012, "v1-invalid-id"},
                                    {0x10017, "v1-invalid-hash"},
                                    {0x10018, "v1-authentication-failed"},
                                    {0x14000, "v1-connected"},
                                    {0x16000, "v1-responder-lifetime"},
                                    {0x16001, "v1-replay-status"},
                                    {0x16002, "v1-initial-contact"},
                                    {0x18d28, "v1-are-you-there"},
                                    {0x18d29, "v1-are-you-there-ack"},
                                    {0, NULL}};
static const struct {
    uint16_t type, len;
} notify_lens[] = {{16388, 20}, {16389, 20}, {INVALID_KE, 2}, {16431, 8}, {16390, 20}};

/* Groups of key exchange and the bytes of their public values: RFC 3526, 5903, 8031. Samples have the first ones. */
enum { GROUPS_BY_SAMPLES = 8 };
static const wspi_value group[] = {
    {14, "modp2048"},     {31, "curve25519"},   {19, "ecp256"},       {2, "modp1024"},
    {20, "ecp384"},       {15, "modp3072"},     {5, "modp1536"},      {16, "modp4096"},
    {1, "modp768"},       {17, "modp6144"},     {18, "modp8192"},     {21, "ecp521"},
    {22, "modp1024-160"}, {23, "modp2048-224"}, {24, "modp2048-256"}, {25, "ecp192"},
    {26, "ecp224"},       {27, "brainpool224"}, {28, "brainpool256"}, {29, "brainpool384"},
    {30, "brainpool512"}, {32, "curve448"},     {36, "ml-kem-768"},   {0, NULL}};
static const uint16_t group_lens[] = {
    [1] = 96,  [2] = 128, [5] = 192,  [14] = 256, [15] = 384, [16] = 512, [17] = 768, [18] = 1024,
    [19] = 64, [20] = 96, [21] = 132, [22] = 128, [23] = 256, [24] = 256, [25] = 48,  [26] = 56,
    [27] = 56, [28] = 64, [29] = 96,  [30] = 128, [31] = 32,  [32] = 56};

/* What an identity is, RFC 2407 4.6.2. Samples have the first one. */
static const wspi_value identity[] = {{2, "fqdn"},        {3, "user-fqdn"},  {1, "ipv4"},
                                      {4, "ipv4-subnet"}, {5, "ipv6"},       {6, "ipv6-subnet"},
                                      {7, "ipv4-range"},  {8, "ipv6-range"}, {9, "dn"},
                                      {10, "gn"},         {11, "key"},       {0, NULL}};

/*
 * Vendor identifiers: hashes of names, and names. The value of the list is the place in vendor_bytes, from 1 on; 0 is one
 * that is not in it.
 */
#define MICROSOFT "\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61\x00\x00\x00"
#define VENDOR_BYTES(s)  \
    {                    \
        sizeof(s) - 1, s \
    }
static const struct {
    size_t len;
    const char *bytes;
} vendor_bytes[] = {
    VENDOR_BYTES("\xaf\xca\xd7\x13\x68\xa1\xf1\xc9\x6b\x86\x96\xfc\x77\x57\x01\x00"),
    VENDOR_BYTES("\x4a\x13\x1c\x81\x07\x03\x58\x45\x5c\x57\x28\xf2\x0e\x95\x45\x2f"),
    VENDOR_BYTES("\x8f\x8d\x83\x82\x6d\x24\x6b\x6f\xc7\xa8\xa6\xa4\x28\xc1\x1d\xe8"),
    VENDOR_BYTES("\x43\x9b\x59\xf8\xba\x67\x6c\x4c\x77\x37\xae\x22\xea\xb8\xf5\x82"),
    VENDOR_BYTES("\x4d\x1e\x0e\x13\x6d\xea\xfa\x34\xc4\xf3\xea\x9f\x02\xec\x72\x85"),
    VENDOR_BYTES("\x80\xd0\xbb\x3d\xef\x54\x56\x5e\xe8\x46\x45\xd4\xc8\x5c\xe3\xee"),
    VENDOR_BYTES("\x99\x09\xb6\x4e\xed\x93\x7c\x65\x73\xde\x52\xac\xe9\x52\xfa\x6b"),
    VENDOR_BYTES("\x7d\x94\x19\xa6\x53\x10\xca\x6f\x2c\x17\x9d\x92\x15\x52\x9d\x56"),
    VENDOR_BYTES("\x90\xcb\x80\x91\x3e\xbb\x69\x6e\x08\x63\x81\xb5\xec\x42\x7b\x1f"),
    VENDOR_BYTES("\xcd\x60\x46\x43\x35\xdf\x21\xf8\x7c\xfd\xb2\xfc\x68\xb6\xa4\x48"),
    VENDOR_BYTES("\x16\xf6\xca\x16\xe4\xa4\x06\x6d\x83\x82\x1a\x0f\x0a\xea\xa8\x62"),
    VENDOR_BYTES("\x44\x85\x15\x2d\x18\xb6\xbb\xcd\x0b\xe8\xa8\x46\x95\x79\xdd\xcc"),
    VENDOR_BYTES("\x27\xba\xb5\xdc\x01\xea\x07\x60\xea\x4e\x31\x90\xac\x27\xc0\xd0"),
    VENDOR_BYTES("\x61\x05\xc4\x22\xe7\x68\x47\xe4\x3f\x96\x84\x80\x12\x92\xae\xcd"),
    VENDOR_BYTES("\x09\x00\x26\x89\xdf\xd6\xb7\x12"),
    VENDOR_BYTES("\x12\xf5\xf2\x8c\x45\x71\x68\xa9\x70\x2d\x9f\xe2\x74\xcc\x01\x00"),
    VENDOR_BYTES("\x12\xf5\xf2\x8c\x45\x71\x68\xa9\x70\x2d\x9f\xe2\x74\xcc\x02\x04"),
    VENDOR_BYTES("\x40\x48\xb7\xd5\x6e\xbc\xe8\x85\x25\xe7\xde\x7f\x00\xd6\xc2\xd3"),
    VENDOR_BYTES(
        "\x40\x48\xb7\xd5\x6e\xbc\xe8\x85\x25\xe7\xde\x7f\x00\xd6\xc2\xd3\x80\x00\x00\x00"),
    VENDOR_BYTES(
        "\x40\x48\xb7\xd5\x6e\xbc\xe8\x85\x25\xe7\xde\x7f\x00\xd6\xc2\xd3\xc0\x00\x00\x00"),
    VENDOR_BYTES("\x88\x2f\xe5\x6d\x6f\xd2\x0d\xbc\x22\x51\x61\x3b\x2e\xbe\x5b\xeb"),
    VENDOR_BYTES("\x26\x24\x4d\x38\xed\xdb\x61\xb3\x17\x2a\x36\xe3\xd0\xcf\xb8\x19"),
    VENDOR_BYTES(MICROSOFT "\x02"),
    VENDOR_BYTES(MICROSOFT "\x03"),
    VENDOR_BYTES(MICROSOFT "\x04"),
    VENDOR_BYTES(MICROSOFT "\x05"),
    VENDOR_BYTES(MICROSOFT "\x06"),
    VENDOR_BYTES(MICROSOFT "\x07"),
    VENDOR_BYTES(MICROSOFT "\x08"),
    VENDOR_BYTES(MICROSOFT "\x09"),
    VENDOR_BYTES(
        "\x01\x52\x8b\xbb\xc0\x06\x96\x12\x18\x49\xab\x9a\x1c\x5b\x2a\x51\x00\x00\x00\x02"),
    VENDOR_BYTES("\xfb\x1d\xe3\xcd\xf3\x41\xb7\xea\x16\xb7\xe5\xbe\x08\x55\xf1\x20"),
    VENDOR_BYTES("\xe3\xa5\x96\x6a\x76\x37\x9f\xe7\x07\x22\x82\x31\xe5\xce\x86\x52"),
    VENDOR_BYTES("\x62\x1b\x04\xbb\x09\x88\x2a\xc1\xe1\x59\x35\xfe\xfa\x24\xae\xee"),
    VENDOR_BYTES("CISCO-DELETE-REASON"),
    VENDOR_BYTES("CISCO-DYNAMIC-ROUTE"),
    VENDOR_BYTES("CISCOVPN-REV-02"),
    VENDOR_BYTES("FLEXVPN-SUPPORTED"),
    VENDOR_BYTES("OpenPGP10171"),
    VENDOR_BYTES("\x69\x93\x69\x22\x87\x41\xc6\xd4\xca\x09\x4c\x93\xe2\x42\xc9\xde\x19"
                 "\xe7\xb7\xc6\x00\x00\x00\x05\x00\x00\x05\x00"),
};
enum { UNLISTED, VENDORS_BY_SAMPLES = 40 };
static const wspi_value vendor[] = {{1, "dpd"},
                                    {2, "nat-t"},
                                    {3, "nat-t-08"},
                                    {4, "nat-t-07"},
                                    {5, "nat-t-06"},
                                    {6, "nat-t-05"},
                                    {7, "nat-t-04"},
                                    {8, "nat-t-03"},
                                    {9, "nat-t-02n"},
                                    {10, "nat-t-02"},
                                    {11, "nat-t-01"},
                                    {12, "nat-t-00"},
                                    {13, "nat-t-stenberg-01"},
                                    {14, "nat-t-stenberg-02"},
                                    {15, "xauth"},
                                    {16, "unity"},
                                    {17, "unity-204"},
                                    {18, "fragmentation"},
                                    {19, "fragmentation-80"},
                                    {20, "fragmentation-c0"},
                                    {21, "strongswan"},
                                    {22, "initial-contact"},
                                    {23, "microsoft-2"},
                                    {24, "microsoft-3"},
                                    {25, "microsoft-4"},
                                    {26, "microsoft-5"},
                                    {27, "microsoft-6"},
                                    {28, "microsoft-7"},
                                    {29, "microsoft-8"},
                                    {30, "microsoft-9"},
                                    {31, "microsoft-realm-2"},
                                    {32, "negotiation-discovery"},
                                    {33, "cga"},
                                    {34, "gssapi"},
                                    {35, "cisco-delete-reason"},
                                    {36, "cisco-dynamic-route"},
                                    {37, "cisco-vpn-rev"},
                                    {38, "flexvpn"},
                                    {39, "openpgp"},
                                    {40, "netscreen-6"},
                                    {UNLISTED, "unlisted"},
                                    {0, NULL}};

#endif
