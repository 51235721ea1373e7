/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines_pop3.h: words of POP3 (RFC 1939, 2449, 2595, 5034): X(number, word, flags, items of samples ...)
 * for lines, X(number, phrase, sets that it is in) for items. What common servers say is one item.
 */
#ifndef WSPI_LINES_POP3_H
#define WSPI_LINES_POP3_H

#define WSPI_POP3_LINES(X)                                                \
    X(0, "text", WEAK, 0, 0, 0)                                           \
    X(1, "rest", WEAK, 0, 0, 0)                                           \
    X(2, "USER", ASKS, M_NAME, 0, 0)                                      \
    X(3, "PASS", ASKS | SECRET, M_NAME, 0, 0)                             \
    X(4, "APOP", ASKS | FIRST | SECRET, M_NAME, M_NAME, 0)                \
    X(5, "AUTH PLAIN", SECRET, 0, 0, 0)                                   \
    X(6, "AUTH LOGIN", SECRET, 0, 0, 0)                                   \
    X(7, "AUTH", SECRET, 0, 0, 0)                                         \
    X(8, "CAPA", 0, 0, 0, 0)                                              \
    X(9, "STLS", 0, 0, 0, 0)                                              \
    X(10, "STAT", ASKS | PAIRS, 0, 0, 0)                                  \
    X(11, "LIST", ASKS | PAIRS, M_NUMBER, 0, 0)                           \
    X(12, "UIDL", ASKS | FIRST, M_NUMBER, 0, 0)                           \
    X(13, "RETR", ASKS | FETCHES, M_NUMBER, 0, 0)                         \
    X(14, "TOP", ASKS | FIRST | FETCHES, M_NUMBER, M_NUMBER, 0)           \
    X(15, "DELE", ASKS, M_NUMBER, 0, 0)                                   \
    X(16, "NOOP", ASKS, 0, 0, 0)                                          \
    X(17, "RSET", ASKS, 0, 0, 0)                                          \
    X(18, "QUIT", ASKS, 0, 0, 0)                                          \
    X(19, "UTF8", 0, 0, 0, 0)                                             \
    X(20, "LANG", 0, 0, 0, 0)                                             \
    X(21, "XTND", 0, 0, 0, 0)                                             \
    X(22, "+OK", ANSWERS | FIRST | OPENS, M_GREET | M_DONE | M_END, 0, 0) \
    X(23, "-ERR", ANSWERS, M_ERROR, 0, 0)                                 \
    X(24, "+", WEAK, 0, 0, 0)                                             \
    X(25, ".", WEAK, 0, 0, 0)

#define WSPI_POP3_ITEMS(X)                                              \
    X(0, "end", 0)                                                      \
    X(1, "name", 0)                                                     \
    X(2, "number", 0)                                                   \
    X(3, "addr-spec", 0)                                                \
    X(4, "host-port", 0)                                                \
    X(5, "port", 0)                                                     \
    X(6, "rest", 0)                                                     \
    X(7, "literal", 0)                                                  \
    X(8, "literal+", 0)                                                 \
    X(9, "", 0)                                                         \
    X(10, " ", 0)                                                       \
    X(11, "Dovecot ready.", M_GREET)                                    \
    X(12, "Dovecot (Debian) ready.", M_GREET)                           \
    X(13, "Dovecot (Ubuntu) ready.", M_GREET)                           \
    X(14, "POP3 server ready", M_GREET)                                 \
    X(15, "POP3 ready", M_GREET)                                        \
    X(16, "POP3 Server ready.", M_GREET)                                \
    X(17, "Hello there.", M_GREET)                                      \
    X(18, "Microsoft Windows POP3 Service Version 1.0 ready.", M_GREET) \
    X(19, "The Microsoft Exchange POP3 service is ready.", M_GREET)     \
    X(20, "Logged in.", M_DONE)                                         \
    X(21, "Logging out.", M_DONE)                                       \
    X(22, "logged in.", M_DONE)                                         \
    X(23, "User accepted", M_DONE)                                      \
    X(24, "Password required", M_DONE)                                  \
    X(25, "User logged in", M_DONE)                                     \
    X(26, "Marked to be deleted.", M_DONE)                              \
    X(27, "message deleted", M_DONE)                                    \
    X(28, "OK", M_DONE)                                                 \
    X(29, "ok", M_DONE)                                                 \
    X(30, "Pass accepted", M_DONE)                                      \
    X(31, "mailbox locked and ready", M_DONE)                           \
    X(32, "maildrop locked and ready", M_DONE)                          \
    X(33, "Send your password", M_DONE)                                 \
    X(34, "Bye", M_DONE)                                                \
    X(35, "Bye-bye.", M_DONE)                                           \
    X(36, "Goodbye.", M_DONE)                                           \
    X(37, "Closing mailbox", M_DONE)                                    \
    X(38, "Sayonara", M_DONE)                                           \
    X(39, "[AUTH] Authentication failed.", M_ERROR)                     \
    X(40, "Authentication failed.", M_ERROR)                            \
    X(41, "Unknown command.", M_ERROR)                                  \
    X(42, "unknown command", M_ERROR)                                   \
    X(43, "invalid command", M_ERROR)                                   \
    X(44, "no such message", M_ERROR)                                   \
    X(45, "There's no message", M_ERROR)                                \
    X(46, "Invalid message number", M_ERROR)                            \
    X(47, "Login failed.", M_ERROR)                                     \
    X(48, "maildrop already locked", M_ERROR)                           \
    X(49, "bad sequence", M_ERROR)                                      \
    X(50, "Disconnected for inactivity.", M_ERROR)                      \
    X(51, "Begin TLS negotiation now.", 0)                              \
    X(52, "octets", M_OCTETS)                                           \
    X(53, "octets)", 0)                                                 \
    X(54, "messages:", 0)                                               \
    X(55, "messages", 0)                                                \
    X(56, "message", 0)                                                 \
    X(57, "octets.", 0)                                                 \
    X(58, "Capability list follows", 0)                                 \
    X(59, "Capability list follows:", 0)                                \
    X(60, "listing follows", 0)                                         \
    X(61, "unique-id listing follows", 0)                               \
    X(62, "scan listing follows", 0)                                    \
    X(63, "CAPA", 0)                                                    \
    X(64, "TOP", 0)                                                     \
    X(65, "UIDL", 0)                                                    \
    X(66, "RESP-CODES", 0)                                              \
    X(67, "AUTH-RESP-CODE", 0)                                          \
    X(68, "PIPELINING", 0)                                              \
    X(69, "USER", 0)                                                    \
    X(70, "SASL PLAIN", 0)                                              \
    X(71, "SASL PLAIN LOGIN", 0)                                        \
    X(72, "SASL LOGIN PLAIN", 0)                                        \
    X(73, "SASL", 0)                                                    \
    X(74, "STLS", 0)                                                    \
    X(75, "EXPIRE NEVER", 0)                                            \
    X(76, "EXPIRE", 0)                                                  \
    X(77, "LOGIN-DELAY", 0)                                             \
    X(78, "IMPLEMENTATION", 0)                                          \
    X(79, "UTF8", 0)                                                    \
    X(80, "LANG", 0)                                                    \
    X(81, "PLAIN", 0)                                                   \
    X(82, "LOGIN", 0)                                                   \
    X(83, "CRAM-MD5", 0)                                                \
    X(84, "DIGEST-MD5", 0)                                              \
    X(85, "NTLM", 0)                                                    \
    X(86, "XOAUTH2", 0)                                                 \
    X(87, "GSSAPI", 0)                                                  \
    X(88, "Dovecot", 0)                                                 \
    X(89, "Courier-IMAP", 0)                                            \
    X(90, "Cyrus", 0)                                                   \
    X(91, "Qpopper", 0)                                                 \
    X(92, "Exchange", 0)                                                \
    X(93, "Microsoft", 0)                                               \
    X(94, "POP3", 0)                                                    \
    X(95, "Pop3", 0)                                                    \
    X(96, "POP", 0)                                                     \
    X(97, "Server", 0)                                                  \
    X(98, "server", 0)                                                  \
    X(99, "service", 0)                                                 \
    X(100, "ready", 0)                                                  \
    X(101, "ready.", 0)                                                 \
    X(102, "Ready", 0)                                                  \
    X(103, "Welcome", 0)                                                \
    X(104, "version", 0)                                                \
    X(105, "[AUTH]", 0)                                                 \
    X(106, "[IN-USE]", 0)                                               \
    X(107, "[SYS/TEMP]", 0)                                             \
    X(108, "[SYS/PERM]", 0)                                             \
    X(109, "user", 0)                                                   \
    X(110, "User", 0)                                                   \
    X(111, "password", 0)                                               \
    X(112, "Password", 0)                                               \
    X(113, "mailbox", 0)                                                \
    X(114, "maildrop", 0)                                               \
    X(115, "mailbox has", 0)                                            \
    X(116, "has", 0)                                                    \
    X(117, "new", 0)                                                    \
    X(118, "visible", 0)                                                \
    X(119, "deleted", 0)                                                \
    X(120, "not", 0)                                                    \
    X(121, "failed", 0)                                                 \
    X(122, "Error", 0)                                                  \
    X(123, "error", 0)                                                  \
    X(124, "authentication", 0)                                         \
    X(125, "Authentication", 0)                                         \
    X(126, "login", 0)                                                  \
    X(127, "Mon,", 0)                                                   \
    X(128, "Tue,", 0)                                                   \
    X(129, "Wed,", 0)                                                   \
    X(130, "Thu,", 0)                                                   \
    X(131, "Fri,", 0)                                                   \
    X(132, "Sat,", 0)                                                   \
    X(133, "Sun,", 0)                                                   \
    X(134, "<", 0)                                                      \
    X(135, ">", 0)                                                      \
    X(136, "(", 0)                                                      \
    X(137, ")", 0)                                                      \
    X(138, ").", 0)                                                     \
    X(139, "[", 0)                                                      \
    X(140, "]", 0)                                                      \
    X(141, "\"", 0)                                                     \
    X(142, "'", 0)                                                      \
    X(143, ".", 0)                                                      \
    X(144, ",", 0)                                                      \
    X(145, ":", 0)                                                      \
    X(146, "=", 0)                                                      \
    X(147, ";", 0)

#endif
