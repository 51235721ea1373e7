/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines_smtp.h: words of SMTP (RFC 5321, 1870, 2034, 2920, 3030, 3207, 4954, 6152): X(number, word, flags, items of samples ...)
 * for lines, X(number, phrase, sets that it is in) for items. What common servers say is one item.
 */
#ifndef WSPI_LINES_SMTP_H
#define WSPI_LINES_SMTP_H

#define WSPI_SMTP_LINES(X)                                       \
    X(0, "text", WEAK, 0, 0, 0)                                  \
    X(1, "rest", WEAK, 0, 0, 0)                                  \
    X(2, "EHLO", ASKS | FIRST, M_NAME, 0, 0)                     \
    X(3, "HELO", ASKS | FIRST, M_NAME, 0, 0)                     \
    X(4, "LHLO", 0, M_NAME, 0, 0)                                \
    X(5, "MAIL FROM:<", ASKS | GLUED, M_MAIL, 0, 0)              \
    X(6, "MAIL FROM: <", GLUED, M_MAIL, 0, 0)                    \
    X(7, "MAIL FROM:", WEAK, 0, 0, 0)                            \
    X(8, "RCPT TO:<", ASKS | GLUED, M_MAIL, 0, 0)                \
    X(9, "RCPT TO: <", GLUED, M_MAIL, 0, 0)                      \
    X(10, "RCPT TO:", WEAK, 0, 0, 0)                             \
    X(11, "DATA", ASKS | OPENS, 0, 0, 0)                         \
    X(12, "BDAT", COUNTED, M_NUMBER, 0, 0)                       \
    X(13, "RSET", ASKS, 0, 0, 0)                                 \
    X(14, "NOOP", ASKS, 0, 0, 0)                                 \
    X(15, "QUIT", ASKS, 0, 0, 0)                                 \
    X(16, "VRFY", ASKS, M_NAME, 0, 0)                            \
    X(17, "EXPN", 0, M_NAME, 0, 0)                               \
    X(18, "HELP", ASKS, 0, 0, 0)                                 \
    X(19, "ETRN", 0, M_NAME, 0, 0)                               \
    X(20, "TURN", 0, 0, 0, 0)                                    \
    X(21, "STARTTLS", 0, 0, 0, 0)                                \
    X(22, "AUTH LOGIN", SECRET, 0, 0, 0)                         \
    X(23, "AUTH PLAIN", SECRET, M_NAME, 0, 0)                    \
    X(24, "AUTH CRAM-MD5", SECRET, 0, 0, 0)                      \
    X(25, "AUTH NTLM", SECRET, 0, 0, 0)                          \
    X(26, "AUTH", SECRET | WEAK, 0, 0, 0)                        \
    X(27, "XCLIENT", 0, 0, 0, 0)                                 \
    X(28, "220-", GLUED, 0, 0, 0)                                \
    X(29, "220 ", ANSWERS | FIRST | GLUED, M_NAME, M_GREET, 0)   \
    X(30, "221-", GLUED, 0, 0, 0)                                \
    X(31, "221 ", ANSWERS | GLUED, M_BYE, 0, 0)                  \
    X(32, "250-", ANSWERS | GLUED | MORE, M_NAME | M_MORE, 0, 0) \
    X(33, "250 ", ANSWERS | GLUED, M_DONE, 0, 0)                 \
    X(34, "214-", GLUED, 0, 0, 0)                                \
    X(35, "214 ", ANSWERS | GLUED, M_HELP, 0, 0)                 \
    X(36, "211-", GLUED, 0, 0, 0)                                \
    X(37, "211 ", GLUED, 0, 0, 0)                                \
    X(38, "235-", GLUED, 0, 0, 0)                                \
    X(39, "235 ", GLUED, 0, 0, 0)                                \
    X(40, "251 ", GLUED, 0, 0, 0)                                \
    X(41, "252 ", ANSWERS | GLUED, M_VERIFY, 0, 0)               \
    X(42, "334 ", GLUED, 0, 0, 0)                                \
    X(43, "354 ", ANSWERS | GLUED | GOES, M_GO, 0, 0)            \
    X(44, "421-", GLUED, 0, 0, 0)                                \
    X(45, "421 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(46, "450-", GLUED, 0, 0, 0)                                \
    X(47, "450 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(48, "451-", GLUED, 0, 0, 0)                                \
    X(49, "451 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(50, "452-", GLUED, 0, 0, 0)                                \
    X(51, "452 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(52, "454-", GLUED, 0, 0, 0)                                \
    X(53, "454 ", GLUED, 0, 0, 0)                                \
    X(54, "455-", GLUED, 0, 0, 0)                                \
    X(55, "455 ", GLUED, 0, 0, 0)                                \
    X(56, "500-", GLUED, 0, 0, 0)                                \
    X(57, "500 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(58, "501-", GLUED, 0, 0, 0)                                \
    X(59, "501 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(60, "502-", GLUED, 0, 0, 0)                                \
    X(61, "502 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(62, "503-", GLUED, 0, 0, 0)                                \
    X(63, "503 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(64, "504-", GLUED, 0, 0, 0)                                \
    X(65, "504 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(66, "521-", GLUED, 0, 0, 0)                                \
    X(67, "521 ", GLUED, 0, 0, 0)                                \
    X(68, "523-", GLUED, 0, 0, 0)                                \
    X(69, "523 ", GLUED, 0, 0, 0)                                \
    X(70, "530-", GLUED, 0, 0, 0)                                \
    X(71, "530 ", GLUED, 0, 0, 0)                                \
    X(72, "534-", GLUED, 0, 0, 0)                                \
    X(73, "534 ", GLUED, 0, 0, 0)                                \
    X(74, "535-", GLUED, 0, 0, 0)                                \
    X(75, "535 ", GLUED, 0, 0, 0)                                \
    X(76, "538-", GLUED, 0, 0, 0)                                \
    X(77, "538 ", GLUED, 0, 0, 0)                                \
    X(78, "550-", GLUED, 0, 0, 0)                                \
    X(79, "550 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(80, "551-", GLUED, 0, 0, 0)                                \
    X(81, "551 ", GLUED, 0, 0, 0)                                \
    X(82, "552-", GLUED, 0, 0, 0)                                \
    X(83, "552 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(84, "553-", GLUED, 0, 0, 0)                                \
    X(85, "553 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(86, "554-", GLUED, 0, 0, 0)                                \
    X(87, "554 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(88, "555-", GLUED, 0, 0, 0)                                \
    X(89, "555 ", GLUED, 0, 0, 0)                                \
    X(90, "556-", GLUED, 0, 0, 0)                                \
    X(91, "556 ", GLUED, 0, 0, 0)

#define WSPI_SMTP_ITEMS(X)                                                                  \
    X(0, "end", 0)                                                                          \
    X(1, "name", 0)                                                                         \
    X(2, "number", 0)                                                                       \
    X(3, "addr-spec", 0)                                                                    \
    X(4, "host-port", 0)                                                                    \
    X(5, "port", 0)                                                                         \
    X(6, "rest", 0)                                                                         \
    X(7, "literal", 0)                                                                      \
    X(8, "literal+", 0)                                                                     \
    X(9, "", 0)                                                                             \
    X(10, " ", 0)                                                                           \
    X(11, "ESMTP Postfix", M_GREET)                                                         \
    X(12, "ESMTP Postfix (Ubuntu)", M_GREET)                                                \
    X(13, "ESMTP Postfix (Debian/GNU)", M_GREET)                                            \
    X(14, "ESMTP Exim", M_GREET)                                                            \
    X(15, "ESMTP Sendmail", M_GREET)                                                        \
    X(16, "ESMTP", M_GREET)                                                                 \
    X(17, "SMTP", M_GREET)                                                                  \
    X(18, "ESMTP server ready", M_GREET)                                                    \
    X(19, "SMTP Server ready", M_GREET)                                                     \
    X(20, "Microsoft ESMTP MAIL Service ready", M_GREET)                                    \
    X(21, "2.0.0 Bye", M_BYE)                                                               \
    X(22, "Bye", M_BYE)                                                                     \
    X(23, "Goodbye", M_BYE)                                                                 \
    X(24, "2.0.0 Service closing transmission channel", M_BYE)                              \
    X(25, "closing connection", M_BYE)                                                      \
    X(26, "2.0.0 closing connection", M_BYE)                                                \
    X(27, "Service closing transmission channel", M_BYE)                                    \
    X(28, "8BITMIME", M_MORE | M_DONE)                                                      \
    X(29, "PIPELINING", M_MORE | M_DONE)                                                    \
    X(30, "SMTPUTF8", M_MORE | M_DONE)                                                      \
    X(31, "ENHANCEDSTATUSCODES", M_MORE | M_DONE)                                           \
    X(32, "CHUNKING", M_MORE | M_DONE)                                                      \
    X(33, "DSN", M_MORE | M_DONE)                                                           \
    X(34, "HELP", M_MORE | M_DONE)                                                          \
    X(35, "ETRN", M_MORE | M_DONE)                                                          \
    X(36, "VRFY", M_MORE | M_DONE)                                                          \
    X(37, "SIZE 10240000", M_MORE | M_DONE)                                                 \
    X(38, "SIZE 52428800", M_MORE | M_DONE)                                                 \
    X(39, "SIZE 35882577", M_MORE | M_DONE)                                                 \
    X(40, "SIZE", M_MORE | M_DONE)                                                          \
    X(41, "BINARYMIME", M_MORE | M_DONE)                                                    \
    X(42, "PRDR", M_MORE | M_DONE)                                                          \
    X(43, "PIPECONNECT", M_MORE | M_DONE)                                                   \
    X(44, "PIPE_CONNECT", M_MORE | M_DONE)                                                  \
    X(45, "DELIVERBY", M_MORE | M_DONE)                                                     \
    X(46, "EXPN", M_MORE | M_DONE)                                                          \
    X(47, "STARTTLS", M_MORE | M_DONE)                                                      \
    X(48, "TURN", 0)                                                                        \
    X(49, "AUTH PLAIN LOGIN", M_MORE | M_DONE)                                              \
    X(50, "AUTH LOGIN PLAIN", M_MORE | M_DONE)                                              \
    X(51, "AUTH LOGIN", M_MORE | M_DONE)                                                    \
    X(52, "AUTH PLAIN", M_MORE | M_DONE)                                                    \
    X(53, "AUTH=LOGIN PLAIN", M_MORE | M_DONE)                                              \
    X(54, "AUTH=PLAIN LOGIN", M_MORE | M_DONE)                                              \
    X(55, "AUTH", 0)                                                                        \
    X(56, "LIMITS", 0)                                                                      \
    X(57, "REQUIRETLS", 0)                                                                  \
    X(58, "XCLIENT", 0)                                                                     \
    X(59, "XFORWARD", 0)                                                                    \
    X(60, "CRAM-MD5", 0)                                                                    \
    X(61, "DIGEST-MD5", 0)                                                                  \
    X(62, "LOGIN", 0)                                                                       \
    X(63, "PLAIN", 0)                                                                       \
    X(64, "NTLM", 0)                                                                        \
    X(65, "GSSAPI", 0)                                                                      \
    X(66, "XOAUTH2", 0)                                                                     \
    X(67, "X-EXPS", 0)                                                                      \
    X(68, "XRDST", 0)                                                                       \
    X(69, "X-LINK2STATE", 0)                                                                \
    X(70, "XEXCH50", 0)                                                                     \
    X(71, "OK", M_DONE)                                                                     \
    X(72, "Ok", M_DONE)                                                                     \
    X(73, "ok", M_DONE)                                                                     \
    X(74, "2.1.0 Ok", M_DONE)                                                               \
    X(75, "2.1.5 Ok", M_DONE)                                                               \
    X(76, "2.0.0 Ok", M_DONE)                                                               \
    X(77, "2.0.0 OK", M_DONE)                                                               \
    X(78, "2.1.0 OK", M_DONE)                                                               \
    X(79, "2.1.5 OK", M_DONE)                                                               \
    X(80, "Accepted", M_DONE)                                                               \
    X(81, "2.1.0 Sender OK", M_DONE)                                                        \
    X(82, "2.1.5 Recipient OK", M_DONE)                                                     \
    X(83, "2.0.0 Resetting", M_DONE)                                                        \
    X(84, "Reset OK", M_DONE)                                                               \
    X(85, "Sender ok", M_DONE)                                                              \
    X(86, "Recipient ok", M_DONE)                                                           \
    X(87, "2.0.0 Ok: queued", M_DONE)                                                       \
    X(88, "End data with <CR><LF>.<CR><LF>", M_GO)                                          \
    X(89, "Enter message, ending with \".\" on a line by itself", M_GO)                     \
    X(90, "Start mail input; end with <CRLF>.<CRLF>", M_GO)                                 \
    X(91, "Enter mail, end with \".\" on a line by itself", M_GO)                           \
    X(92, "Start mail input", M_GO)                                                         \
    X(93, "Go ahead", M_GO)                                                                 \
    X(94, "go ahead", M_GO)                                                                 \
    X(95, "Ok Send data ending with <CRLF>.<CRLF>", M_GO)                                   \
    X(96, "2.0.0 Cannot VRFY user, but will accept message", M_VERIFY)                      \
    X(97, "Administrative prohibition", M_VERIFY)                                           \
    X(98, "2.5.2 Cannot VRFY user", M_VERIFY)                                               \
    X(99, "2.0.0 End of HELP info", M_HELP)                                                 \
    X(100, "Commands supported: AUTH HELO EHLO MAIL RCPT DATA NOOP QUIT RSET HELP", M_HELP) \
    X(101, "End of HELP info", M_HELP)                                                      \
    X(102, "5.5.1 Error: need MAIL command", M_ERROR)                                       \
    X(103, "5.5.1 Error: need RCPT command", M_ERROR)                                       \
    X(104, "5.5.1 Error: nested MAIL command", M_ERROR)                                     \
    X(105, "5.5.2 Error: command not recognized", M_ERROR)                                  \
    X(106, "5.5.1 Command unrecognized:", M_ERROR)                                          \
    X(107, "5.5.4 Syntax: BDAT count [LAST]", M_ERROR)                                      \
    X(108, "5.5.4 Syntax: EHLO hostname", M_ERROR)                                          \
    X(109, "5.5.4 Syntax: HELO hostname", M_ERROR)                                          \
    X(110, "5.5.1 Error: send HELO/EHLO first", M_ERROR)                                    \
    X(111, "5.1.1 User unknown", M_ERROR)                                                   \
    X(112, "5.7.1 Relaying denied", M_ERROR)                                                \
    X(113, "5.7.1 Relay access denied", M_ERROR)                                            \
    X(114, "4.7.1 Greylisted, try again later", M_ERROR)                                    \
    X(115, "4.4.2 Timeout exceeded", M_ERROR)                                               \
    X(116, "4.3.2 Service shutting down", M_ERROR)                                          \
    X(117, "unrecognized command", M_ERROR)                                                 \
    X(118, "Unknown command", M_ERROR)                                                      \
    X(119, "Syntax error", M_ERROR)                                                         \
    X(120, "Bad sequence of commands", M_ERROR)                                             \
    X(121, "Command not implemented", M_ERROR)                                              \
    X(122, "sender not yet given", M_ERROR)                                                 \
    X(123, "valid RCPT command must precede DATA", M_ERROR)                                 \
    X(124, "Relay not permitted", M_ERROR)                                                  \
    X(125, "Mailbox unavailable", M_ERROR)                                                  \
    X(126, "Unknown user", M_ERROR)                                                         \
    X(127, "Service not available, closing transmission channel", M_ERROR)                  \
    X(128, "Requested action aborted", M_ERROR)                                             \
    X(129, "2.0.0", 0)                                                                      \
    X(130, "2.1.0", 0)                                                                      \
    X(131, "2.1.5", 0)                                                                      \
    X(132, "2.7.0", 0)                                                                      \
    X(133, "4.1.8", 0)                                                                      \
    X(134, "4.2.0", 0)                                                                      \
    X(135, "4.2.1", 0)                                                                      \
    X(136, "4.2.2", 0)                                                                      \
    X(137, "4.3.0", 0)                                                                      \
    X(138, "4.3.1", 0)                                                                      \
    X(139, "4.4.1", 0)                                                                      \
    X(140, "4.4.2", 0)                                                                      \
    X(141, "4.5.1", 0)                                                                      \
    X(142, "4.7.0", 0)                                                                      \
    X(143, "4.7.1", 0)                                                                      \
    X(144, "5.0.0", 0)                                                                      \
    X(145, "5.1.0", 0)                                                                      \
    X(146, "5.1.1", 0)                                                                      \
    X(147, "5.1.2", 0)                                                                      \
    X(148, "5.1.3", 0)                                                                      \
    X(149, "5.1.7", 0)                                                                      \
    X(150, "5.1.8", 0)                                                                      \
    X(151, "5.2.1", 0)                                                                      \
    X(152, "5.2.2", 0)                                                                      \
    X(153, "5.3.0", 0)                                                                      \
    X(154, "5.3.4", 0)                                                                      \
    X(155, "5.5.0", 0)                                                                      \
    X(156, "5.5.1", 0)                                                                      \
    X(157, "5.5.2", 0)                                                                      \
    X(158, "5.5.4", 0)                                                                      \
    X(159, "5.7.0", 0)                                                                      \
    X(160, "5.7.1", 0)                                                                      \
    X(161, "5.7.8", 0)                                                                      \
    X(162, "5.7.9", 0)                                                                      \
    X(163, "Ok: queued as", 0)                                                              \
    X(164, "queued as", 0)                                                                  \
    X(165, "Ok:", 0)                                                                        \
    X(166, "ok:", 0)                                                                        \
    X(167, "OK id=", 0)                                                                     \
    X(168, "queued", 0)                                                                     \
    X(169, "mail queued for delivery", 0)                                                   \
    X(170, "bytes", 0)                                                                      \
    X(171, "byte chunk, total", 0)                                                          \
    X(172, "Hello", 0)                                                                      \
    X(173, "pleased to meet you", 0)                                                        \
    X(174, "at your service", 0)                                                            \
    X(175, "Message accepted for delivery", 0)                                              \
    X(176, "TLS go ahead", 0)                                                               \
    X(177, "2.0.0 Ready to start TLS", 0)                                                   \
    X(178, "Ready to start TLS", 0)                                                         \
    X(179, "2.7.0 Authentication successful", 0)                                            \
    X(180, "Authentication succeeded", 0)                                                   \
    X(181, "AUTHENTICATION SUCCESSFUL", 0)                                                  \
    X(182, "VXNlcm5hbWU6", 0)                                                               \
    X(183, "UGFzc3dvcmQ6", 0)                                                               \
    X(184, "Postfix", 0)                                                                    \
    X(185, "Exim", 0)                                                                       \
    X(186, "Sendmail", 0)                                                                   \
    X(187, "Microsoft", 0)                                                                  \
    X(188, "Exchange", 0)                                                                   \
    X(189, "qmail", 0)                                                                      \
    X(190, "Dovecot", 0)                                                                    \
    X(191, "OpenSMTPD", 0)                                                                  \
    X(192, "Haraka", 0)                                                                     \
    X(193, "gsmtp", 0)                                                                      \
    X(194, "SMTP Server", 0)                                                                \
    X(195, "ready", 0)                                                                      \
    X(196, "Service ready", 0)                                                              \
    X(197, "service ready", 0)                                                              \
    X(198, "Ubuntu", 0)                                                                     \
    X(199, "(Ubuntu)", 0)                                                                   \
    X(200, "(Debian/GNU)", 0)                                                               \
    X(201, "Mon,", 0)                                                                       \
    X(202, "Tue,", 0)                                                                       \
    X(203, "Wed,", 0)                                                                       \
    X(204, "Thu,", 0)                                                                       \
    X(205, "Fri,", 0)                                                                       \
    X(206, "Sat,", 0)                                                                       \
    X(207, "Sun,", 0)                                                                       \
    X(208, "NO UCE", 0)                                                                     \
    X(209, "rejected", 0)                                                                   \
    X(210, "refused", 0)                                                                    \
    X(211, "blocked", 0)                                                                    \
    X(212, "spam", 0)                                                                       \
    X(213, "listed", 0)                                                                     \
    X(214, "Sender", 0)                                                                     \
    X(215, "Recipient", 0)                                                                  \
    X(216, "User", 0)                                                                       \
    X(217, "unknown", 0)                                                                    \
    X(218, "denied", 0)                                                                     \
    X(219, "Relay", 0)                                                                      \
    X(220, "Relaying", 0)                                                                   \
    X(221, "relay", 0)                                                                      \
    X(222, "access", 0)                                                                     \
    X(223, "address", 0)                                                                    \
    X(224, "Access", 0)                                                                     \
    X(225, "Client", 0)                                                                     \
    X(226, "host", 0)                                                                       \
    X(227, "mailbox", 0)                                                                    \
    X(228, "message", 0)                                                                    \
    X(229, "Message", 0)                                                                    \
    X(230, "error", 0)                                                                      \
    X(231, "Error:", 0)                                                                     \
    X(232, "Error", 0)                                                                      \
    X(233, "command", 0)                                                                    \
    X(234, "Command", 0)                                                                    \
    X(235, "authentication", 0)                                                             \
    X(236, "Authentication", 0)                                                             \
    X(237, "required", 0)                                                                   \
    X(238, "not", 0)                                                                        \
    X(239, "SIZE=", 0)                                                                      \
    X(240, "BODY=8BITMIME", 0)                                                              \
    X(241, "BODY=7BIT", 0)                                                                  \
    X(242, "BODY=BINARYMIME", 0)                                                            \
    X(243, "NOTIFY=", 0)                                                                    \
    X(244, "RET=HDRS", 0)                                                                   \
    X(245, "RET=FULL", 0)                                                                   \
    X(246, "ENVID=", 0)                                                                     \
    X(247, "ORCPT=", 0)                                                                     \
    X(248, "AUTH=<>", 0)                                                                    \
    X(249, "LAST", 0)                                                                       \
    X(250, "<>", 0)                                                                         \
    X(251, "<", 0)                                                                          \
    X(252, ">", 0)                                                                          \
    X(253, ">...", 0)                                                                       \
    X(254, "...", 0)                                                                        \
    X(255, "(", 0)                                                                          \
    X(256, ")", 0)                                                                          \
    X(257, ").", 0)                                                                         \
    X(258, "[", 0)                                                                          \
    X(259, "]", 0)                                                                          \
    X(260, "\"", 0)                                                                         \
    X(261, "'", 0)                                                                          \
    X(262, "=", 0)                                                                          \
    X(263, ",", 0)                                                                          \
    X(264, ".", 0)                                                                          \
    X(265, ";", 0)                                                                          \
    X(266, ":", 0)

#endif
