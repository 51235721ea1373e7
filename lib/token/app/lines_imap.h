/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines_imap.h: words of IMAP (RFC 3501, 9051 and their extensions): X(number, word, flags, items of samples ...)
 * for lines, X(number, phrase, sets that it is in) for items. What common servers say is one item.
 */
#ifndef WSPI_LINES_IMAP_H
#define WSPI_LINES_IMAP_H

#define WSPI_IMAP_LINES(X)                                                      \
    X(0, "text", WEAK, 0, 0, 0)                                                 \
    X(1, "rest", WEAK, 0, 0, 0)                                                 \
    X(2, "CAPABILITY", TAGGED | ASKS | FIRST, 0, 0, 0)                          \
    X(3, "NOOP", TAGGED | ASKS | FIRST, 0, 0, 0)                                \
    X(4, "LOGOUT", TAGGED | ASKS | FIRST, 0, 0, 0)                              \
    X(5, "STARTTLS", TAGGED, 0, 0, 0)                                           \
    X(6, "AUTHENTICATE PLAIN", TAGGED | SECRET, 0, 0, 0)                        \
    X(7, "AUTHENTICATE LOGIN", TAGGED | SECRET, 0, 0, 0)                        \
    X(8, "AUTHENTICATE", TAGGED | SECRET, M_NAME, 0, 0)                         \
    X(9, "LOGIN", TAGGED | ASKS | FIRST | SECRET, M_NAME, M_NAME, 0)            \
    X(10, "SELECT", TAGGED | ASKS | FIRST, M_BOX, 0, 0)                         \
    X(11, "EXAMINE", TAGGED | ASKS | FIRST, M_BOX, 0, 0)                        \
    X(12, "CREATE", TAGGED | ASKS | FIRST, M_NAME, 0, 0)                        \
    X(13, "DELETE", TAGGED | ASKS | FIRST, M_NAME, 0, 0)                        \
    X(14, "RENAME", TAGGED, M_NAME, M_NAME, 0)                                  \
    X(15, "SUBSCRIBE", TAGGED | ASKS | FIRST, M_NAME, 0, 0)                     \
    X(16, "UNSUBSCRIBE", TAGGED, M_NAME, 0, 0)                                  \
    X(17, "LIST", TAGGED | ASKS | FIRST, M_PATTERN, 0, 0)                       \
    X(18, "LSUB", TAGGED | ASKS | FIRST, M_PATTERN, 0, 0)                       \
    X(19, "XLIST", TAGGED, 0, 0, 0)                                             \
    X(20, "STATUS", TAGGED | ASKS | FIRST, M_BOX, M_STATUS, 0)                  \
    X(21, "APPEND", TAGGED, 0, 0, 0)                                            \
    X(22, "CHECK", TAGGED | ASKS | FIRST, 0, 0, 0)                              \
    X(23, "CLOSE", TAGGED | ASKS | FIRST, 0, 0, 0)                              \
    X(24, "UNSELECT", TAGGED, 0, 0, 0)                                          \
    X(25, "EXPUNGE", TAGGED | ASKS | FIRST, 0, 0, 0)                            \
    X(26, "SEARCH", TAGGED | ASKS | FIRST, M_KEY, 0, 0)                         \
    X(27, "FETCH", TAGGED | ASKS | FIRST, M_NUMBER, M_DATA, 0)                  \
    X(28, "STORE", TAGGED | ASKS | FIRST, M_NUMBER, M_FLAGS, 0)                 \
    X(29, "COPY", TAGGED | ASKS | FIRST, M_NUMBER, M_BOX, 0)                    \
    X(30, "MOVE", TAGGED, 0, 0, 0)                                              \
    X(31, "UID FETCH", TAGGED | ASKS | FIRST, M_NUMBER, M_DATA, 0)              \
    X(32, "UID SEARCH", TAGGED | ASKS | FIRST, M_KEY, 0, 0)                     \
    X(33, "UID STORE", TAGGED | ASKS | FIRST, M_NUMBER, M_FLAGS, 0)             \
    X(34, "UID COPY", TAGGED, 0, 0, 0)                                          \
    X(35, "UID MOVE", TAGGED, 0, 0, 0)                                          \
    X(36, "UID EXPUNGE", TAGGED, 0, 0, 0)                                       \
    X(37, "IDLE", TAGGED, 0, 0, 0)                                              \
    X(38, "NAMESPACE", TAGGED, 0, 0, 0)                                         \
    X(39, "ID NIL", TAGGED, 0, 0, 0)                                            \
    X(40, "ID", TAGGED, 0, 0, 0)                                                \
    X(41, "ENABLE", TAGGED, 0, 0, 0)                                            \
    X(42, "GETQUOTA", TAGGED, 0, 0, 0)                                          \
    X(43, "GETQUOTAROOT", TAGGED, 0, 0, 0)                                      \
    X(44, "COMPRESS DEFLATE", TAGGED, 0, 0, 0)                                  \
    X(45, "SORT", TAGGED, 0, 0, 0)                                              \
    X(46, "THREAD", TAGGED, 0, 0, 0)                                            \
    X(47, "OK", TAGGED | ANSWERS | WEAK, M_DONE, 0, 0)                          \
    X(48, "NO", TAGGED | ANSWERS | WEAK, M_ERROR, 0, 0)                         \
    X(49, "BAD", TAGGED | ANSWERS | WEAK, M_ERROR, 0, 0)                        \
    X(50, "* OK", ANSWERS | FIRST | AND, M_GREET | M_NOTE, 0, 0)                \
    X(51, "* NO", 0, 0, 0, 0)                                                   \
    X(52, "* BAD", 0, 0, 0, 0)                                                  \
    X(53, "* PREAUTH", 0, 0, 0, 0)                                              \
    X(54, "* BYE", ANSWERS | AND, M_BYE, 0, 0)                                  \
    X(55, "* CAPABILITY", ANSWERS | AND, M_CAP, M_MORE | M_END, M_MORE | M_END) \
    X(56, "* LIST", ANSWERS | AND, M_LISTED, 0, 0)                              \
    X(57, "* LSUB", ANSWERS | AND, M_LISTED, 0, 0)                              \
    X(58, "* FLAGS", ANSWERS | AND, M_FLAGGED, 0, 0)                            \
    X(59, "* SEARCH", ANSWERS | AND, M_NUMBER | M_END, M_NUMBER | M_END, 0)     \
    X(60, "* STATUS", 0, 0, 0, 0)                                               \
    X(61, "* NAMESPACE", 0, 0, 0, 0)                                            \
    X(62, "* ID", 0, 0, 0, 0)                                                   \
    X(63, "* ENABLED", 0, 0, 0, 0)                                              \
    X(64, "* QUOTA", 0, 0, 0, 0)                                                \
    X(65, "* QUOTAROOT", 0, 0, 0, 0)                                            \
    X(66, "* ESEARCH", 0, 0, 0, 0)                                              \
    X(67, "*", ANSWERS | AND | WEAK, M_NUMBER, M_COUNT, 0)                      \
    X(68, "+", WEAK, 0, 0, 0)                                                   \
    X(69, "DONE", WEAK, 0, 0, 0)

#define WSPI_IMAP_ITEMS(X)                                                                         \
    X(0, "end", 0)                                                                                 \
    X(1, "name", 0)                                                                                \
    X(2, "number", 0)                                                                              \
    X(3, "addr-spec", 0)                                                                           \
    X(4, "host-port", 0)                                                                           \
    X(5, "port", 0)                                                                                \
    X(6, "rest", 0)                                                                                \
    X(7, "literal", 0)                                                                             \
    X(8, "literal+", 0)                                                                            \
    X(9, "", 0)                                                                                    \
    X(10, " ", 0)                                                                                  \
    X(11, "IMAP4rev1 Service Ready", M_GREET)                                                      \
    X(12, "IMAP4 ready", M_GREET)                                                                  \
    X(13, "Dovecot ready.", M_GREET)                                                               \
    X(14,                                                                                          \
      "[CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN] Dovecot " \
      "(Debian) ready.",                                                                           \
      M_GREET)                                                                                     \
    X(15,                                                                                          \
      "[CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS "            \
      "AUTH=PLAIN] Dovecot (Debian) ready.",                                                       \
      M_GREET)                                                                                     \
    X(16, "IMAP4rev1 server ready", M_GREET)                                                       \
    X(17, "Courier-IMAP ready.", M_GREET)                                                          \
    X(18, "The Microsoft Exchange IMAP4 service is ready.", M_GREET)                               \
    X(19, "Still here", M_NOTE)                                                                    \
    X(20, "[READ-WRITE]", M_NOTE)                                                                  \
    X(21, "[NOMODSEQ]", M_NOTE)                                                                    \
    X(22, "Logged in", M_DONE)                                                                     \
    X(23, "LOGIN completed", M_DONE)                                                               \
    X(24, "Login completed.", M_DONE)                                                              \
    X(25, "NOOP completed", M_DONE)                                                                \
    X(26, "NOOP completed.", M_DONE)                                                               \
    X(27, "CAPABILITY completed", M_DONE)                                                          \
    X(28, "SELECT completed", M_DONE)                                                              \
    X(29, "[READ-WRITE] SELECT completed", M_DONE)                                                 \
    X(30, "[READ-WRITE] Select completed", M_DONE)                                                 \
    X(31, "[READ-ONLY] EXAMINE completed", M_DONE)                                                 \
    X(32, "FETCH completed", M_DONE)                                                               \
    X(33, "Fetch completed", M_DONE)                                                               \
    X(34, "Fetch completed.", M_DONE)                                                              \
    X(35, "SEARCH completed", M_DONE)                                                              \
    X(36, "Search completed", M_DONE)                                                              \
    X(37, "STORE completed", M_DONE)                                                               \
    X(38, "Store completed.", M_DONE)                                                              \
    X(39, "LIST completed", M_DONE)                                                                \
    X(40, "List completed", M_DONE)                                                                \
    X(41, "Close completed", M_DONE)                                                               \
    X(42, "CLOSE completed", M_DONE)                                                               \
    X(43, "EXPUNGE completed", M_DONE)                                                             \
    X(44, "LOGOUT completed", M_DONE)                                                              \
    X(45, "Logout completed", M_DONE)                                                              \
    X(46, "Logout completed.", M_DONE)                                                             \
    X(47, "Completed", M_DONE)                                                                     \
    X(48, "Success", M_DONE)                                                                       \
    X(49, "STATUS completed", M_DONE)                                                              \
    X(50, "Status completed", M_DONE)                                                              \
    X(51, "Pre-login capabilities listed, post-login capabilities have more.", M_DONE)             \
    X(52, "Capability completed", M_DONE)                                                          \
    X(53, "[AUTHENTICATIONFAILED] Authentication failed.", M_ERROR)                                \
    X(54, "LOGIN failed", M_ERROR)                                                                 \
    X(55, "Error in IMAP command received by server.", M_ERROR)                                    \
    X(56, "Unknown command", M_ERROR)                                                              \
    X(57, "No mailbox selected", M_ERROR)                                                          \
    X(58, "Mailbox doesn't exist", M_ERROR)                                                        \
    X(59, "[TRYCREATE] Mailbox doesn't exist", M_ERROR)                                            \
    X(60, "Invalid arguments", M_ERROR)                                                            \
    X(61, "[CLIENTBUG]", M_ERROR)                                                                  \
    X(62, "[ALREADYEXISTS] Mailbox already exists", M_ERROR)                                       \
    X(63, "Logging out", M_BYE)                                                                    \
    X(64, "LOGOUT received", M_BYE)                                                                \
    X(65, "IMAP4rev1 Server logging out", M_BYE)                                                   \
    X(66, "Disconnected for inactivity.", M_BYE)                                                   \
    X(67, "IMAP4rev1", M_CAP)                                                                      \
    X(68, "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN", M_CAP)           \
    X(69, "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS AUTH=PLAIN", M_CAP)  \
    X(70, "IDLE", M_MORE)                                                                          \
    X(71, "NAMESPACE", M_MORE)                                                                     \
    X(72, "UIDPLUS", M_MORE)                                                                       \
    X(73, "LITERAL+", M_MORE)                                                                      \
    X(74, "SASL-IR", M_MORE)                                                                       \
    X(75, "ID", M_MORE)                                                                            \
    X(76, "ENABLE", M_MORE)                                                                        \
    X(77, "CHILDREN", M_MORE)                                                                      \
    X(78, "QUOTA", M_MORE)                                                                         \
    X(79, "UNSELECT", M_MORE)                                                                      \
    X(80, "SORT", M_MORE)                                                                          \
    X(81, "AUTH=PLAIN", M_MORE)                                                                    \
    X(82, "AUTH=LOGIN", M_MORE)                                                                    \
    X(83, "MOVE", M_MORE)                                                                          \
    X(84, "ESEARCH", M_MORE)                                                                       \
    X(85, "CONDSTORE", M_MORE)                                                                     \
    X(86, "SPECIAL-USE", M_MORE)                                                                   \
    X(87, "ACL", M_MORE)                                                                           \
    X(88, "STARTTLS", 0)                                                                           \
    X(89, "LOGINDISABLED", 0)                                                                      \
    X(90, "LOGIN-REFERRALS", 0)                                                                    \
    X(91, "IMAP4", 0)                                                                              \
    X(92, "COMPRESS=DEFLATE", 0)                                                                   \
    X(93, "AUTH=CRAM-MD5", 0)                                                                      \
    X(94, "AUTH=DIGEST-MD5", 0)                                                                    \
    X(95, "AUTH=GSSAPI", 0)                                                                        \
    X(96, "AUTH=NTLM", 0)                                                                          \
    X(97, "AUTH=XOAUTH2", 0)                                                                       \
    X(98, "SORT=DISPLAY", 0)                                                                       \
    X(99, "THREAD=REFERENCES", 0)                                                                  \
    X(100, "THREAD=REFS", 0)                                                                       \
    X(101, "THREAD=ORDEREDSUBJECT", 0)                                                             \
    X(102, "MULTIAPPEND", 0)                                                                       \
    X(103, "URL-PARTIAL", 0)                                                                       \
    X(104, "CATENATE", 0)                                                                          \
    X(105, "I18NLEVEL=1", 0)                                                                       \
    X(106, "QRESYNC", 0)                                                                           \
    X(107, "ESORT", 0)                                                                             \
    X(108, "SEARCHRES", 0)                                                                         \
    X(109, "WITHIN", 0)                                                                            \
    X(110, "CONTEXT=SEARCH", 0)                                                                    \
    X(111, "LIST-STATUS", 0)                                                                       \
    X(112, "LIST-EXTENDED", 0)                                                                     \
    X(113, "BINARY", 0)                                                                            \
    X(114, "SNIPPET=FUZZY", 0)                                                                     \
    X(115, "PREVIEW=FUZZY", 0)                                                                     \
    X(116, "STATUS=SIZE", 0)                                                                       \
    X(117, "SAVEDATE", 0)                                                                          \
    X(118, "NOTIFY", 0)                                                                            \
    X(119, "UTF8=ACCEPT", 0)                                                                       \
    X(120, "METADATA", 0)                                                                          \
    X(121, "X-GM-EXT-1", 0)                                                                        \
    X(122, "XLIST", 0)                                                                             \
    X(123, "MULTISEARCH", 0)                                                                       \
    X(124, "PREVIEW", 0)                                                                           \
    X(125, "INBOX", M_BOX)                                                                         \
    X(126, "\"INBOX\"", M_BOX)                                                                     \
    X(127, "Inbox", M_BOX)                                                                         \
    X(128, "Sent", M_BOX)                                                                          \
    X(129, "Drafts", M_BOX)                                                                        \
    X(130, "Trash", M_BOX)                                                                         \
    X(131, "(MESSAGES)", M_STATUS)                                                                 \
    X(132, "(MESSAGES UNSEEN)", M_STATUS)                                                          \
    X(133, "(UIDNEXT UNSEEN)", M_STATUS)                                                           \
    X(134, "(MESSAGES RECENT UNSEEN)", M_STATUS)                                                   \
    X(135, "\"\" \"*\"", M_PATTERN)                                                                \
    X(136, "\"\" *", M_PATTERN)                                                                    \
    X(137, "\"\" \"\"", M_PATTERN)                                                                 \
    X(138, "\"\" INBOX", M_PATTERN)                                                                \
    X(139, "\"\" \"%\"", M_PATTERN)                                                                \
    X(140, "ALL", M_KEY)                                                                           \
    X(141, "UNSEEN", M_KEY)                                                                        \
    X(142, "SEEN", M_KEY)                                                                          \
    X(143, "RECENT", M_KEY)                                                                        \
    X(144, "UNDELETED", M_KEY)                                                                     \
    X(145, "NEW", M_KEY)                                                                           \
    X(146, "(FLAGS)", M_DATA)                                                                      \
    X(147, "(FLAGS UID)", M_DATA)                                                                  \
    X(148, "(UID FLAGS)", M_DATA)                                                                  \
    X(149, "FLAGS", M_DATA)                                                                        \
    X(150, "ENVELOPE", M_DATA)                                                                     \
    X(151, "BODY[]", M_DATA)                                                                       \
    X(152, "(BODY[])", M_DATA)                                                                     \
    X(153, "BODY.PEEK[]", M_DATA)                                                                  \
    X(154, "RFC822", M_DATA)                                                                       \
    X(155, "RFC822.SIZE", M_DATA)                                                                  \
    X(156, "(RFC822.SIZE)", M_DATA)                                                                \
    X(157, "BODYSTRUCTURE", M_DATA)                                                                \
    X(158, "(UID RFC822.SIZE FLAGS BODY.PEEK[])", M_DATA)                                          \
    X(159, "FULL", M_DATA)                                                                         \
    X(160, "+FLAGS (\\Seen)", M_FLAGS)                                                             \
    X(161, "-FLAGS (\\Seen)", M_FLAGS)                                                             \
    X(162, "+FLAGS (\\Deleted)", M_FLAGS)                                                          \
    X(163, "+FLAGS.SILENT (\\Deleted)", M_FLAGS)                                                   \
    X(164, "FLAGS (\\Seen)", M_FLAGS)                                                              \
    X(165, "(\\HasNoChildren) \"/\" INBOX", M_LISTED)                                              \
    X(166, "(\\HasNoChildren) \".\" INBOX", M_LISTED)                                              \
    X(167, "(\\HasChildren) \"/\" INBOX", M_LISTED)                                                \
    X(168, "(\\HasNoChildren) \"/\" \"INBOX\"", M_LISTED)                                          \
    X(169, "(\\HasNoChildren) \"/\" Sent", M_LISTED)                                               \
    X(170, "(\\Answered \\Flagged \\Deleted \\Seen \\Draft)", M_FLAGGED)                           \
    X(171, "(\\Answered \\Flagged \\Draft \\Deleted \\Seen)", M_FLAGGED)                           \
    X(172, "EXISTS", M_COUNT)                                                                      \
    X(173, "EXPUNGE", M_COUNT)                                                                     \
    X(174, "FETCH (FLAGS (\\Seen))", M_COUNT)                                                      \
    X(175, "FETCH (FLAGS ())", M_COUNT)                                                            \
    X(176, "FETCH (FLAGS (\\Recent))", M_COUNT)                                                    \
    X(177, "FETCH (FLAGS (\\Seen \\Recent))", M_COUNT)                                             \
    X(178, "FETCH (", 0)                                                                           \
    X(179, "FETCH", 0)                                                                             \
    X(180, "(UID", 0)                                                                              \
    X(181, "UID", 0)                                                                               \
    X(182, "FLAGS (", 0)                                                                           \
    X(183, "BODY[HEADER.FIELDS (", 0)                                                              \
    X(184, "BODY[TEXT]", 0)                                                                        \
    X(185, "BODY[HEADER]", 0)                                                                      \
    X(186, "INTERNALDATE", 0)                                                                      \
    X(187, "ENVELOPE (", 0)                                                                        \
    X(188, "BODYSTRUCTURE (", 0)                                                                   \
    X(189, "(", 0)                                                                                 \
    X(190, ")", 0)                                                                                 \
    X(191, "))", 0)                                                                                \
    X(192, ")))", 0)                                                                               \
    X(193, ")]", 0)                                                                                \
    X(194, "[", 0)                                                                                 \
    X(195, "]", 0)                                                                                 \
    X(196, "{", 0)                                                                                 \
    X(197, "}", 0)                                                                                 \
    X(198, "\"", 0)                                                                                \
    X(199, "<", 0)                                                                                 \
    X(200, ">", 0)                                                                                 \
    X(201, ",", 0)                                                                                 \
    X(202, ":", 0)                                                                                 \
    X(203, ":*", 0)                                                                                \
    X(204, "*", 0)                                                                                 \
    X(205, "/", 0)                                                                                 \
    X(206, ".", 0)                                                                                 \
    X(207, "'", 0)                                                                                 \
    X(208, ";", 0)                                                                                 \
    X(209, "=", 0)                                                                                 \
    X(210, "%", 0)                                                                                 \
    X(211, "\\Seen", 0)                                                                            \
    X(212, "\\Answered", 0)                                                                        \
    X(213, "\\Flagged", 0)                                                                         \
    X(214, "\\Deleted", 0)                                                                         \
    X(215, "\\Draft", 0)                                                                           \
    X(216, "\\Recent", 0)                                                                          \
    X(217, "\\*", 0)                                                                               \
    X(218, "\\HasNoChildren", 0)                                                                   \
    X(219, "\\HasChildren", 0)                                                                     \
    X(220, "\\Noselect", 0)                                                                        \
    X(221, "\\NoInferiors", 0)                                                                     \
    X(222, "\\Sent", 0)                                                                            \
    X(223, "\\Drafts", 0)                                                                          \
    X(224, "\\Trash", 0)                                                                           \
    X(225, "\\Junk", 0)                                                                            \
    X(226, "\\UnMarked", 0)                                                                        \
    X(227, "\\Marked", 0)                                                                          \
    X(228, "Junk", 0)                                                                              \
    X(229, "Spam", 0)                                                                              \
    X(230, "NIL", 0)                                                                               \
    X(231, "FROM", 0)                                                                              \
    X(232, "TO", 0)                                                                                \
    X(233, "CC", 0)                                                                                \
    X(234, "DATE", 0)                                                                              \
    X(235, "SUBJECT", 0)                                                                           \
    X(236, "MESSAGE-ID", 0)                                                                        \
    X(237, "TEXT", 0)                                                                              \
    X(238, "PLAIN", 0)                                                                             \
    X(239, "HTML", 0)                                                                              \
    X(240, "\"TEXT\" \"PLAIN\"", 0)                                                                \
    X(241, "\"TEXT\" \"HTML\"", 0)                                                                 \
    X(242, "\"CHARSET\"", 0)                                                                       \
    X(243,                                                                                         \
      "[PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags permitted.", 0)  \
    X(244, "[PERMANENTFLAGS (", 0)                                                                 \
    X(245, "Flags permitted.", 0)                                                                  \
    X(246, "Flags permitted", 0)                                                                   \
    X(247, "Limited", 0)                                                                           \
    X(248, "[UIDVALIDITY", 0)                                                                      \
    X(249, "] UIDs valid", 0)                                                                      \
    X(250, "[UIDNEXT", 0)                                                                          \
    X(251, "] Predicted next UID", 0)                                                              \
    X(252, "[UNSEEN", 0)                                                                           \
    X(253, "] First unseen.", 0)                                                                   \
    X(254, "[HIGHESTMODSEQ", 0)                                                                    \
    X(255, "] Highest", 0)                                                                         \
    X(256, "[CAPABILITY", 0)                                                                       \
    X(257, "[COPYUID", 0)                                                                          \
    X(258, "[APPENDUID", 0)                                                                        \
    X(259, "Select completed", 0)                                                                  \
    X(260, "secs).", 0)                                                                            \
    X(261, "secs", 0)                                                                              \
    X(262, "+", 0)                                                                                 \
    X(263, "(0.001", 0)                                                                            \
    X(264, "(0.002", 0)                                                                            \
    X(265, "(0.003", 0)                                                                            \
    X(266, "Begin TLS negotiation now.", 0)                                                        \
    X(267, "Dovecot", 0)                                                                           \
    X(268, "(Debian)", 0)                                                                          \
    X(269, "(Ubuntu)", 0)                                                                          \
    X(270, "ready", 0)                                                                             \
    X(271, "ready.", 0)                                                                            \
    X(272, "Ready", 0)                                                                             \
    X(273, "Courier-IMAP", 0)                                                                      \
    X(274, "Cyrus", 0)                                                                             \
    X(275, "Microsoft", 0)                                                                         \
    X(276, "Exchange", 0)                                                                          \
    X(277, "Gimap", 0)                                                                             \
    X(278, "IMAP", 0)                                                                              \
    X(279, "server", 0)                                                                            \
    X(280, "Server", 0)                                                                            \
    X(281, "completed", 0)                                                                         \
    X(282, "completed.", 0)                                                                        \
    X(283, "failed", 0)                                                                            \
    X(284, "failed.", 0)                                                                           \
    X(285, "Completed.", 0)                                                                        \
    X(286, "MESSAGES", 0)                                                                          \
    X(287, "UIDNEXT", 0)                                                                           \
    X(288, "UIDVALIDITY", 0)                                                                       \
    X(289, "+FLAGS", 0)                                                                            \
    X(290, "-FLAGS", 0)                                                                            \
    X(291, "FLAGS.SILENT", 0)                                                                      \
    X(292, "+FLAGS.SILENT", 0)                                                                     \
    X(293, "SINCE", 0)                                                                             \
    X(294, "BEFORE", 0)                                                                            \
    X(295, "CHARSET", 0)                                                                           \
    X(296, "UTF-8", 0)                                                                             \
    X(297, "user", 0)                                                                              \
    X(298, "mailbox", 0)                                                                           \
    X(299, "Mailbox", 0)                                                                           \
    X(300, "idling", 0)

#endif
