/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh_words.c: names that SSH's lists are made of (RFC 4250 4.11, 8308, 8332, 8709, 8731, and OpenSSH's own), and whole lists as usual
 * programs offer them, called after the first version that has them.
 */
#include "token/app/ssh.h"

static const char *const kex_lists[] = {"curve25519-sha256,"
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group16-sha512,"
                                        "diffie-hellman-group18-sha512,"
                                        "diffie-hellman-group-exchange-sha1,"
                                        "diffie-hellman-group14-sha256,"
                                        "diffie-hellman-group14-sha1",
                                        "curve25519-sha256,"
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group16-sha512,"
                                        "diffie-hellman-group18-sha512,"
                                        "diffie-hellman-group-exchange-sha1,"
                                        "diffie-hellman-group14-sha256,"
                                        "diffie-hellman-group14-sha1,"
                                        "diffie-hellman-group1-sha1",
                                        "curve25519-sha256,"
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group16-sha512,"
                                        "diffie-hellman-group18-sha512,"
                                        "diffie-hellman-group14-sha256",
                                        "curve25519-sha256,"
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group16-sha512,"
                                        "diffie-hellman-group18-sha512,"
                                        "diffie-hellman-group14-sha256,"
                                        "diffie-hellman-group14-sha1",
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group-exchange-sha1,"
                                        "diffie-hellman-group14-sha1,"
                                        "diffie-hellman-group1-sha1",
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group14-sha1,"
                                        "diffie-hellman-group-exchange-sha1,"
                                        "diffie-hellman-group1-sha1",
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group-exchange-sha1,"
                                        "diffie-hellman-group14-sha1,"
                                        "diffie-hellman-group1-sha1",
                                        "sntrup761x25519-sha512@openssh.com,"
                                        "curve25519-sha256,"
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group16-sha512,"
                                        "diffie-hellman-group18-sha512,"
                                        "diffie-hellman-group14-sha256",
                                        "sntrup761x25519-sha512,"
                                        "sntrup761x25519-sha512@openssh.com,"
                                        "curve25519-sha256,"
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group16-sha512,"
                                        "diffie-hellman-group18-sha512,"
                                        "diffie-hellman-group14-sha256",
                                        "sntrup761x25519-sha512,"
                                        "sntrup761x25519-sha512@openssh.com,"
                                        "mlkem768x25519-sha256,"
                                        "curve25519-sha256,"
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group16-sha512,"
                                        "diffie-hellman-group18-sha512,"
                                        "diffie-hellman-group14-sha256",
                                        "mlkem768x25519-sha256,"
                                        "sntrup761x25519-sha512,"
                                        "sntrup761x25519-sha512@openssh.com,"
                                        "curve25519-sha256,"
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group16-sha512,"
                                        "diffie-hellman-group18-sha512,"
                                        "diffie-hellman-group14-sha256",
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group-exchange-sha1,"
                                        "diffie-hellman-group14-sha1,"
                                        "diffie-hellman-group1-sha1",
                                        "diffie-hellman-group-exchange-sha1,"
                                        "diffie-hellman-group14-sha1,"
                                        "diffie-hellman-group1-sha1",
                                        "curve25519-sha256,"
                                        "curve25519-sha256@libssh.org,"
                                        "ecdh-sha2-nistp256,"
                                        "ecdh-sha2-nistp384,"
                                        "ecdh-sha2-nistp521,"
                                        "diffie-hellman-group18-sha512,"
                                        "diffie-hellman-group16-sha512,"
                                        "diffie-hellman-group-exchange-sha256,"
                                        "diffie-hellman-group14-sha256"};
const wspi_value wspi_ssh_kex_rows[] = {{0, "list:openssh-7.4"},
                                        {1, "list:openssh-7.4-server"},
                                        {2, "list:openssh-8.0"},
                                        {3, "list:openssh-8.0-sha1"},
                                        {4, "list:openssh-6.7"},
                                        {5, "list:openssh-6.7-server"},
                                        {6, "list:openssh-5.9"},
                                        {7, "list:openssh-8.9"},
                                        {8, "list:openssh-9.2"},
                                        {9, "list:openssh-9.9"},
                                        {10, "list:openssh-10.0"},
                                        {11, "list:openssh-5.6"},
                                        {12, "list:openssh-4.3"},
                                        {13, "list:libssh-0.9"},
                                        {14, "empty"},
                                        {15, "cut"},
                                        {16, "other-way"},
                                        {17, "unknown"},
                                        {18, "curve25519-sha256"},
                                        {19, "curve25519-sha256@libssh.org"},
                                        {20, "ecdh-sha2-nistp256"},
                                        {21, "ecdh-sha2-nistp384"},
                                        {22, "ecdh-sha2-nistp521"},
                                        {23, "diffie-hellman-group-exchange-sha256"},
                                        {24, "diffie-hellman-group-exchange-sha1"},
                                        {25, "diffie-hellman-group14-sha256"},
                                        {26, "diffie-hellman-group14-sha1"},
                                        {27, "diffie-hellman-group1-sha1"},
                                        {28, "diffie-hellman-group16-sha512"},
                                        {29, "diffie-hellman-group18-sha512"},
                                        {30, "diffie-hellman-group15-sha512"},
                                        {31, "diffie-hellman-group17-sha512"},
                                        {32, "ext-info-c"},
                                        {33, "ext-info-s"},
                                        {34, "kex-strict-c-v00@openssh.com"},
                                        {35, "kex-strict-s-v00@openssh.com"},
                                        {36, "sntrup761x25519-sha512"},
                                        {37, "sntrup761x25519-sha512@openssh.com"},
                                        {38, "mlkem768x25519-sha256"},
                                        {39, "mlkem768nistp256-sha256"},
                                        {40, "mlkem1024nistp384-sha384"},
                                        {41, "curve448-sha512"},
                                        {42, "rsa2048-sha256"},
                                        {43, "rsa1024-sha1"},
                                        {44, "sntrup4591761x25519-sha512@tinyssh.org"},
                                        {45, "kexguess2@matt.ucc.asn.au"},
                                        {46, "diffie-hellman-group14-sha256@ssh.com"},
                                        {47, "diffie-hellman-group15-sha256@ssh.com"},
                                        {0, NULL}};

static const char *const host_key_lists[] = {"ssh-rsa,"
                                             "rsa-sha2-512,"
                                             "rsa-sha2-256,"
                                             "ecdsa-sha2-nistp256,"
                                             "ssh-ed25519",
                                             "rsa-sha2-512,"
                                             "rsa-sha2-256,"
                                             "ecdsa-sha2-nistp256,"
                                             "ssh-ed25519",
                                             "ssh-ed25519-cert-v01@openssh.com,"
                                             "ecdsa-sha2-nistp256-cert-v01@openssh.com,"
                                             "ecdsa-sha2-nistp384-cert-v01@openssh.com,"
                                             "ecdsa-sha2-nistp521-cert-v01@openssh.com,"
                                             "sk-ssh-ed25519-cert-v01@openssh.com,"
                                             "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com,"
                                             "rsa-sha2-512-cert-v01@openssh.com,"
                                             "rsa-sha2-256-cert-v01@openssh.com,"
                                             "ssh-ed25519,"
                                             "ecdsa-sha2-nistp256,"
                                             "ecdsa-sha2-nistp384,"
                                             "ecdsa-sha2-nistp521,"
                                             "sk-ssh-ed25519@openssh.com,"
                                             "sk-ecdsa-sha2-nistp256@openssh.com,"
                                             "rsa-sha2-512,"
                                             "rsa-sha2-256",
                                             "ecdsa-sha2-nistp256-cert-v01@openssh.com,"
                                             "ecdsa-sha2-nistp384-cert-v01@openssh.com,"
                                             "ecdsa-sha2-nistp521-cert-v01@openssh.com,"
                                             "ecdsa-sha2-nistp256,"
                                             "ecdsa-sha2-nistp384,"
                                             "ecdsa-sha2-nistp521,"
                                             "ssh-ed25519-cert-v01@openssh.com,"
                                             "ssh-rsa-cert-v01@openssh.com,"
                                             "ssh-ed25519,"
                                             "rsa-sha2-512,"
                                             "rsa-sha2-256,"
                                             "ssh-rsa",
                                             "ecdsa-sha2-nistp256-cert-v01@openssh.com,"
                                             "ecdsa-sha2-nistp384-cert-v01@openssh.com,"
                                             "ecdsa-sha2-nistp521-cert-v01@openssh.com,"
                                             "ssh-ed25519-cert-v01@openssh.com,"
                                             "ssh-rsa-cert-v01@openssh.com,"
                                             "ssh-dss-cert-v01@openssh.com,"
                                             "ssh-rsa-cert-v00@openssh.com,"
                                             "ssh-dss-cert-v00@openssh.com,"
                                             "ecdsa-sha2-nistp256,"
                                             "ecdsa-sha2-nistp384,"
                                             "ecdsa-sha2-nistp521,"
                                             "ssh-ed25519,"
                                             "ssh-rsa,"
                                             "ssh-dss",
                                             "ssh-rsa-cert-v01@openssh.com,"
                                             "ssh-dss-cert-v01@openssh.com,"
                                             "ssh-rsa-cert-v00@openssh.com,"
                                             "ssh-dss-cert-v00@openssh.com,"
                                             "ssh-rsa,"
                                             "ssh-dss",
                                             "ssh-rsa,"
                                             "ssh-dss,"
                                             "ecdsa-sha2-nistp256",
                                             "ssh-rsa,"
                                             "ssh-dss"};
const wspi_value wspi_ssh_host_key_rows[] = {{0, "list:rsa-ecdsa-ed25519"},
                                             {1, "list:rsa2-ecdsa-ed25519"},
                                             {2, "list:openssh-8.5"},
                                             {3, "list:openssh-7.4"},
                                             {4, "list:openssh-6.7"},
                                             {5, "list:openssh-5.6"},
                                             {6, "list:rsa-dss-ecdsa"},
                                             {7, "list:rsa-dss"},
                                             {8, "empty"},
                                             {9, "cut"},
                                             {10, "other-way"},
                                             {11, "unknown"},
                                             {12, "ssh-ed25519"},
                                             {13, "ssh-rsa"},
                                             {14, "rsa-sha2-512"},
                                             {15, "rsa-sha2-256"},
                                             {16, "ecdsa-sha2-nistp256"},
                                             {17, "ecdsa-sha2-nistp384"},
                                             {18, "ecdsa-sha2-nistp521"},
                                             {19, "ssh-dss"},
                                             {20, "ssh-ed25519-cert-v01@openssh.com"},
                                             {21, "ssh-rsa-cert-v01@openssh.com"},
                                             {22, "ssh-dss-cert-v01@openssh.com"},
                                             {23, "rsa-sha2-512-cert-v01@openssh.com"},
                                             {24, "rsa-sha2-256-cert-v01@openssh.com"},
                                             {25, "ecdsa-sha2-nistp256-cert-v01@openssh.com"},
                                             {26, "ecdsa-sha2-nistp384-cert-v01@openssh.com"},
                                             {27, "ecdsa-sha2-nistp521-cert-v01@openssh.com"},
                                             {28, "sk-ssh-ed25519@openssh.com"},
                                             {29, "sk-ecdsa-sha2-nistp256@openssh.com"},
                                             {30, "sk-ssh-ed25519-cert-v01@openssh.com"},
                                             {31, "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com"},
                                             {32, "ssh-rsa-cert-v00@openssh.com"},
                                             {33, "ssh-dss-cert-v00@openssh.com"},
                                             {34, "ssh-ed448"},
                                             {35, "x509v3-sign-rsa"},
                                             {36, "x509v3-sign-dss"},
                                             {37, "x509v3-ssh-rsa"},
                                             {38, "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"},
                                             {0, NULL}};

static const char *const cipher_lists[] = {"chacha20-poly1305@openssh.com,"
                                           "aes128-ctr,"
                                           "aes192-ctr,"
                                           "aes256-ctr,"
                                           "aes128-gcm@openssh.com,"
                                           "aes256-gcm@openssh.com",
                                           "aes128-ctr,"
                                           "aes192-ctr,"
                                           "aes256-ctr",
                                           "chacha20-poly1305@openssh.com,"
                                           "aes128-ctr,"
                                           "aes192-ctr,"
                                           "aes256-ctr,"
                                           "aes128-gcm@openssh.com,"
                                           "aes256-gcm@openssh.com,"
                                           "aes128-cbc,"
                                           "aes192-cbc,"
                                           "aes256-cbc",
                                           "chacha20-poly1305@openssh.com,"
                                           "aes128-gcm@openssh.com,"
                                           "aes256-gcm@openssh.com,"
                                           "aes128-ctr,"
                                           "aes192-ctr,"
                                           "aes256-ctr",
                                           "chacha20-poly1305@openssh.com,"
                                           "aes128-ctr,"
                                           "aes192-ctr,"
                                           "aes256-ctr,"
                                           "aes128-gcm@openssh.com,"
                                           "aes256-gcm@openssh.com,"
                                           "aes128-cbc,"
                                           "aes192-cbc,"
                                           "aes256-cbc,"
                                           "blowfish-cbc,"
                                           "cast128-cbc,"
                                           "3des-cbc",
                                           "aes128-ctr,"
                                           "aes192-ctr,"
                                           "aes256-ctr,"
                                           "arcfour256,"
                                           "arcfour128,"
                                           "aes128-cbc,"
                                           "3des-cbc,"
                                           "blowfish-cbc,"
                                           "cast128-cbc,"
                                           "aes192-cbc,"
                                           "aes256-cbc,"
                                           "arcfour,"
                                           "rijndael-cbc@lysator.liu.se",
                                           "aes128-ctr,"
                                           "aes192-ctr,"
                                           "aes256-ctr,"
                                           "arcfour256,"
                                           "arcfour128,"
                                           "aes128-gcm@openssh.com,"
                                           "aes256-gcm@openssh.com,"
                                           "aes128-cbc,"
                                           "3des-cbc,"
                                           "blowfish-cbc,"
                                           "cast128-cbc,"
                                           "aes192-cbc,"
                                           "aes256-cbc,"
                                           "arcfour,"
                                           "rijndael-cbc@lysator.liu.se",
                                           "aes128-ctr,"
                                           "aes192-ctr,"
                                           "aes256-ctr,"
                                           "arcfour256,"
                                           "arcfour128,"
                                           "aes128-gcm@openssh.com,"
                                           "aes256-gcm@openssh.com,"
                                           "chacha20-poly1305@openssh.com,"
                                           "aes128-cbc,"
                                           "3des-cbc,"
                                           "blowfish-cbc,"
                                           "cast128-cbc,"
                                           "aes192-cbc,"
                                           "aes256-cbc,"
                                           "arcfour,"
                                           "rijndael-cbc@lysator.liu.se",
                                           "aes128-ctr,"
                                           "aes192-ctr,"
                                           "aes256-ctr,"
                                           "aes128-gcm@openssh.com,"
                                           "aes256-gcm@openssh.com,"
                                           "chacha20-poly1305@openssh.com,"
                                           "arcfour256,"
                                           "arcfour128,"
                                           "aes128-cbc,"
                                           "3des-cbc,"
                                           "blowfish-cbc,"
                                           "cast128-cbc,"
                                           "aes192-cbc,"
                                           "aes256-cbc,"
                                           "arcfour,"
                                           "rijndael-cbc@lysator.liu.se",
                                           "aes128-cbc,"
                                           "3des-cbc,"
                                           "blowfish-cbc,"
                                           "cast128-cbc,"
                                           "arcfour128,"
                                           "arcfour256,"
                                           "arcfour,"
                                           "aes192-cbc,"
                                           "aes256-cbc,"
                                           "rijndael-cbc@lysator.liu.se,"
                                           "aes128-ctr,"
                                           "aes192-ctr,"
                                           "aes256-ctr"};
const wspi_value wspi_ssh_cipher_rows[] = {{0, "list:openssh-6.7"},
                                           {1, "list:aes-ctr"},
                                           {2, "list:openssh-7.4"},
                                           {3, "list:openssh-10.0"},
                                           {4, "list:openssh-7.4-server"},
                                           {5, "list:openssh-5.6"},
                                           {6, "list:openssh-6.2"},
                                           {7, "list:openssh-6.5"},
                                           {8, "list:openssh-6.7-client"},
                                           {9, "list:openssh-4.3"},
                                           {10, "empty"},
                                           {11, "cut"},
                                           {12, "other-way"},
                                           {13, "unknown"},
                                           {14, "chacha20-poly1305@openssh.com"},
                                           {15, "aes128-ctr"},
                                           {16, "aes192-ctr"},
                                           {17, "aes256-ctr"},
                                           {18, "aes128-gcm@openssh.com"},
                                           {19, "aes256-gcm@openssh.com"},
                                           {20, "aes128-cbc"},
                                           {21, "aes192-cbc"},
                                           {22, "aes256-cbc"},
                                           {23, "3des-cbc"},
                                           {24, "blowfish-cbc"},
                                           {25, "cast128-cbc"},
                                           {26, "arcfour"},
                                           {27, "arcfour128"},
                                           {28, "arcfour256"},
                                           {29, "rijndael-cbc@lysator.liu.se"},
                                           {30, "3des-ctr"},
                                           {31, "blowfish-ctr"},
                                           {32, "none"},
                                           {33, "AEAD_AES_128_GCM"},
                                           {34, "AEAD_AES_256_GCM"},
                                           {35, "twofish128-ctr"},
                                           {36, "twofish256-ctr"},
                                           {37, "twofish128-cbc"},
                                           {38, "twofish192-cbc"},
                                           {39, "twofish256-cbc"},
                                           {40, "twofish-cbc"},
                                           {41, "serpent128-cbc"},
                                           {42, "serpent256-cbc"},
                                           {43, "serpent128-ctr"},
                                           {44, "serpent256-ctr"},
                                           {45, "camellia128-ctr"},
                                           {46, "camellia256-ctr"},
                                           {47, "des-cbc"},
                                           {0, NULL}};

static const char *const mac_lists[] = {"umac-64-etm@openssh.com,"
                                        "umac-128-etm@openssh.com,"
                                        "hmac-sha2-256-etm@openssh.com,"
                                        "hmac-sha2-512-etm@openssh.com,"
                                        "hmac-sha1-etm@openssh.com,"
                                        "umac-64@openssh.com,"
                                        "umac-128@openssh.com,"
                                        "hmac-sha2-256,"
                                        "hmac-sha2-512,"
                                        "hmac-sha1",
                                        "hmac-sha2-256,"
                                        "hmac-sha2-512",
                                        "hmac-md5-etm@openssh.com,"
                                        "hmac-sha1-etm@openssh.com,"
                                        "umac-64-etm@openssh.com,"
                                        "umac-128-etm@openssh.com,"
                                        "hmac-sha2-256-etm@openssh.com,"
                                        "hmac-sha2-512-etm@openssh.com,"
                                        "hmac-ripemd160-etm@openssh.com,"
                                        "hmac-sha1-96-etm@openssh.com,"
                                        "hmac-md5-96-etm@openssh.com,"
                                        "hmac-md5,"
                                        "hmac-sha1,"
                                        "umac-64@openssh.com,"
                                        "umac-128@openssh.com,"
                                        "hmac-sha2-256,"
                                        "hmac-sha2-512,"
                                        "hmac-ripemd160,"
                                        "hmac-ripemd160@openssh.com,"
                                        "hmac-sha1-96,"
                                        "hmac-md5-96",
                                        "umac-64-etm@openssh.com,"
                                        "umac-128-etm@openssh.com,"
                                        "hmac-sha2-256-etm@openssh.com,"
                                        "hmac-sha2-512-etm@openssh.com,"
                                        "hmac-sha1-etm@openssh.com,"
                                        "umac-64@openssh.com,"
                                        "umac-128@openssh.com,"
                                        "hmac-sha2-256,"
                                        "hmac-sha2-512,"
                                        "hmac-sha1,"
                                        "hmac-md5-etm@openssh.com,"
                                        "hmac-ripemd160-etm@openssh.com,"
                                        "hmac-sha1-96-etm@openssh.com,"
                                        "hmac-md5-96-etm@openssh.com,"
                                        "hmac-md5,"
                                        "hmac-ripemd160,"
                                        "hmac-ripemd160@openssh.com,"
                                        "hmac-sha1-96,"
                                        "hmac-md5-96",
                                        "hmac-md5,"
                                        "hmac-sha1,"
                                        "umac-64@openssh.com,"
                                        "hmac-sha2-256,"
                                        "hmac-sha2-256-96,"
                                        "hmac-sha2-512,"
                                        "hmac-sha2-512-96,"
                                        "hmac-ripemd160,"
                                        "hmac-ripemd160@openssh.com,"
                                        "hmac-sha1-96,"
                                        "hmac-md5-96",
                                        "hmac-md5,"
                                        "hmac-sha1,"
                                        "umac-64@openssh.com,"
                                        "hmac-ripemd160,"
                                        "hmac-ripemd160@openssh.com,"
                                        "hmac-sha1-96,"
                                        "hmac-md5-96",
                                        "hmac-md5,"
                                        "hmac-sha1,"
                                        "hmac-ripemd160,"
                                        "hmac-ripemd160@openssh.com,"
                                        "hmac-sha1-96,"
                                        "hmac-md5-96"};
const wspi_value wspi_ssh_mac_rows[] = {{0, "list:openssh-6.7"},
                                        {1, "list:sha2-256-512"},
                                        {2, "list:openssh-6.2"},
                                        {3, "list:openssh-6.7-client"},
                                        {4, "list:openssh-5.9"},
                                        {5, "list:openssh-4.7"},
                                        {6, "list:openssh-4.3"},
                                        {7, "empty"},
                                        {8, "cut"},
                                        {9, "other-way"},
                                        {10, "unknown"},
                                        {11, "hmac-sha2-256"},
                                        {12, "hmac-sha2-512"},
                                        {13, "hmac-sha1"},
                                        {14, "hmac-md5"},
                                        {15, "hmac-sha1-96"},
                                        {16, "hmac-md5-96"},
                                        {17, "hmac-ripemd160"},
                                        {18, "hmac-ripemd160@openssh.com"},
                                        {19, "umac-64@openssh.com"},
                                        {20, "umac-128@openssh.com"},
                                        {21, "hmac-sha2-256-etm@openssh.com"},
                                        {22, "hmac-sha2-512-etm@openssh.com"},
                                        {23, "hmac-sha1-etm@openssh.com"},
                                        {24, "umac-64-etm@openssh.com"},
                                        {25, "umac-128-etm@openssh.com"},
                                        {26, "hmac-md5-etm@openssh.com"},
                                        {27, "hmac-sha1-96-etm@openssh.com"},
                                        {28, "hmac-md5-96-etm@openssh.com"},
                                        {29, "hmac-ripemd160-etm@openssh.com"},
                                        {30, "hmac-sha2-256-96"},
                                        {31, "hmac-sha2-512-96"},
                                        {32, "none"},
                                        {33, "AEAD_AES_128_GCM"},
                                        {34, "AEAD_AES_256_GCM"},
                                        {0, NULL}};

static const char *const compression_lists[] = {"none,"
                                                "zlib@openssh.com",
                                                "none,"
                                                "zlib@openssh.com,"
                                                "zlib"};
const wspi_value wspi_ssh_compression_rows[] = {
    {0, "list:none-late"}, {1, "list:openssh-7.4-client"},
    {2, "empty"},          {3, "cut"},
    {4, "other-way"},      {5, "unknown"},
    {6, "none"},           {7, "zlib@openssh.com"},
    {8, "zlib"},           {0, NULL}};

const wspi_ssh_names wspi_ssh_kinds[WSPI_SSH_KINDS] = {
    [WSPI_SSH_KEX] = {wspi_ssh_kex_rows, kex_lists, WSPI_COUNT(kex_lists),
                      WSPI_COUNT(wspi_ssh_kex_rows) - 1},
    [WSPI_SSH_HOST_KEY] = {wspi_ssh_host_key_rows, host_key_lists, WSPI_COUNT(host_key_lists),
                           WSPI_COUNT(wspi_ssh_host_key_rows) - 1},
    [WSPI_SSH_CIPHER] = {wspi_ssh_cipher_rows, cipher_lists, WSPI_COUNT(cipher_lists),
                         WSPI_COUNT(wspi_ssh_cipher_rows) - 1},
    [WSPI_SSH_MAC] = {wspi_ssh_mac_rows, mac_lists, WSPI_COUNT(mac_lists),
                      WSPI_COUNT(wspi_ssh_mac_rows) - 1},
    [WSPI_SSH_COMPRESSION] = {wspi_ssh_compression_rows, compression_lists,
                              WSPI_COUNT(compression_lists),
                              WSPI_COUNT(wspi_ssh_compression_rows) - 1},
};
