/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines_ftp.h: words of FTP control connections (RFC 959, 2228, 2389, 2428, 3659, 4217): X(number, word, flags, items of samples ...)
 * for lines, X(number, phrase, sets that it is in) for items. What common servers say is one item.
 */
#ifndef WSPI_LINES_FTP_H
#define WSPI_LINES_FTP_H

#define WSPI_FTP_LINES(X)                                        \
    X(0, "text", WEAK, 0, 0, 0)                                  \
    X(1, "rest", WEAK, 0, 0, 0)                                  \
    X(2, "USER", ASKS, M_NAME, 0, 0)                             \
    X(3, "PASS", ASKS | SECRET, M_NAME, 0, 0)                    \
    X(4, "ACCT", SECRET, M_NAME, 0, 0)                           \
    X(5, "CWD", ASKS, M_NAME, 0, 0)                              \
    X(6, "CDUP", ASKS | FIRST, 0, 0, 0)                          \
    X(7, "XCWD", 0, M_NAME, 0, 0)                                \
    X(8, "PWD", ASKS | FIRST, 0, 0, 0)                           \
    X(9, "XPWD", 0, 0, 0, 0)                                     \
    X(10, "QUIT", ASKS, 0, 0, 0)                                 \
    X(11, "REIN", 0, 0, 0, 0)                                    \
    X(12, "PORT", ASKS, M_ADDR, 0, 0)                            \
    X(13, "PASV", ASKS | FIRST, 0, 0, 0)                         \
    X(14, "EPSV", ASKS | FIRST, 0, 0, 0)                         \
    X(15, "EPSV ALL", 0, 0, 0, 0)                                \
    X(16, "EPRT", 0, M_NAME, 0, 0)                               \
    X(17, "TYPE I", ASKS | FIRST, 0, 0, 0)                       \
    X(18, "TYPE A", ASKS | FIRST, 0, 0, 0)                       \
    X(19, "TYPE", WEAK, 0, 0, 0)                                 \
    X(20, "STRU", 0, 0, 0, 0)                                    \
    X(21, "MODE", 0, 0, 0, 0)                                    \
    X(22, "RETR", ASKS, M_NAME, 0, 0)                            \
    X(23, "STOR", ASKS | FIRST, M_NAME, 0, 0)                    \
    X(24, "STOU", 0, 0, 0, 0)                                    \
    X(25, "APPE", 0, M_NAME, 0, 0)                               \
    X(26, "ALLO", 0, M_NUMBER, 0, 0)                             \
    X(27, "REST", ASKS, M_NUMBER, 0, 0)                          \
    X(28, "RNFR", ASKS, M_NAME, 0, 0)                            \
    X(29, "RNTO", 0, M_NAME, 0, 0)                               \
    X(30, "ABOR", ASKS, 0, 0, 0)                                 \
    X(31, "DELE", ASKS, M_NAME, 0, 0)                            \
    X(32, "RMD", ASKS, M_NAME, 0, 0)                             \
    X(33, "XRMD", 0, M_NAME, 0, 0)                               \
    X(34, "MKD", ASKS, M_NAME, 0, 0)                             \
    X(35, "XMKD", 0, M_NAME, 0, 0)                               \
    X(36, "LIST", ASKS, 0, 0, 0)                                 \
    X(37, "LIST -a", 0, 0, 0, 0)                                 \
    X(38, "LIST -l", 0, 0, 0, 0)                                 \
    X(39, "LIST -al", 0, 0, 0, 0)                                \
    X(40, "NLST", ASKS, 0, 0, 0)                                 \
    X(41, "SITE", 0, 0, 0, 0)                                    \
    X(42, "SYST", ASKS | FIRST, 0, 0, 0)                         \
    X(43, "STAT", ASKS, 0, 0, 0)                                 \
    X(44, "HELP", ASKS, 0, 0, 0)                                 \
    X(45, "NOOP", ASKS, 0, 0, 0)                                 \
    X(46, "FEAT", ASKS | FIRST, 0, 0, 0)                         \
    X(47, "OPTS UTF8 ON", ASKS | FIRST, 0, 0, 0)                 \
    X(48, "OPTS", 0, 0, 0, 0)                                    \
    X(49, "SIZE", ASKS | FIRST, M_NAME, 0, 0)                    \
    X(50, "MDTM", ASKS | FIRST, M_NAME, 0, 0)                    \
    X(51, "MLSD", ASKS | FIRST, 0, 0, 0)                         \
    X(52, "MLST", ASKS | FIRST, 0, 0, 0)                         \
    X(53, "MFMT", 0, M_NAME, M_NAME, 0)                          \
    X(54, "CLNT", 0, M_NAME, 0, 0)                               \
    X(55, "HOST", 0, M_NAME, 0, 0)                               \
    X(56, "AUTH TLS", 0, 0, 0, 0)                                \
    X(57, "AUTH SSL", 0, 0, 0, 0)                                \
    X(58, "AUTH", WEAK, 0, 0, 0)                                 \
    X(59, "PBSZ 0", 0, 0, 0, 0)                                  \
    X(60, "PBSZ", 0, 0, 0, 0)                                    \
    X(61, "PROT P", 0, 0, 0, 0)                                  \
    X(62, "PROT C", 0, 0, 0, 0)                                  \
    X(63, "PROT", 0, 0, 0, 0)                                    \
    X(64, "CCC", 0, 0, 0, 0)                                     \
    X(65, "110 ", GLUED, 0, 0, 0)                                \
    X(66, "120 ", GLUED, 0, 0, 0)                                \
    X(67, "125 ", ANSWERS | GLUED | LATER, M_OPEN, 0, 0)         \
    X(68, "150-", GLUED, 0, 0, 0)                                \
    X(69, "150 ", ANSWERS | GLUED | LATER, M_OPEN, 0, 0)         \
    X(70, "200-", GLUED, 0, 0, 0)                                \
    X(71, "200 ", ANSWERS | GLUED, M_DONE, 0, 0)                 \
    X(72, "202 ", ANSWERS | GLUED, M_ERROR, 0, 0)                \
    X(73, "211-", ANSWERS | GLUED | MORE, M_MORE, 0, 0)          \
    X(74, "211 ", ANSWERS | GLUED, M_END_OF, 0, 0)               \
    X(75, "212 ", GLUED, 0, 0, 0)                                \
    X(76, "213-", GLUED, 0, 0, 0)                                \
    X(77, "213 ", ANSWERS | GLUED, M_NUMBER, 0, 0)               \
    X(78, "214-", GLUED, 0, 0, 0)                                \
    X(79, "214 ", ANSWERS | GLUED, M_HELP, 0, 0)                 \
    X(80, "215 ", ANSWERS | GLUED, M_SYSTEM, 0, 0)               \
    X(81, "220-", GLUED, 0, 0, 0)                                \
    X(82, "220 ", ANSWERS | FIRST | GLUED, M_GREET, 0, 0)        \
    X(83, "221-", GLUED, 0, 0, 0)                                \
    X(84, "221 ", ANSWERS | GLUED, M_BYE, 0, 0)                  \
    X(85, "225 ", ANSWERS | GLUED, M_CLOSED, 0, 0)               \
    X(86, "226-", GLUED, 0, 0, 0)                                \
    X(87, "226 ", ANSWERS | GLUED, M_CLOSED, 0, 0)               \
    X(88, "227 ", ANSWERS | GLUED, M_PASSIVE, M_ADDR, M_TAIL)    \
    X(89, "228 ", GLUED, 0, 0, 0)                                \
    X(90, "229 ", ANSWERS | GLUED, M_EXTENDED, M_PORT, M_TAIL_2) \
    X(91, "230-", GLUED, 0, 0, 0)                                \
    X(92, "230 ", ANSWERS | GLUED, M_LOGIN, 0, 0)                \
    X(93, "232 ", GLUED, 0, 0, 0)                                \
    X(94, "234 ", GLUED, 0, 0, 0)                                \
    X(95, "250-", GLUED, 0, 0, 0)                                \
    X(96, "250 ", ANSWERS | GLUED, M_CHANGED, 0, 0)              \
    X(97, "257 ", ANSWERS | GLUED, M_PATH, 0, 0)                 \
    X(98, "331 ", ANSWERS | GLUED, M_ASKS, 0, 0)                 \
    X(99, "332 ", GLUED, 0, 0, 0)                                \
    X(100, "334 ", GLUED, 0, 0, 0)                               \
    X(101, "350 ", ANSWERS | GLUED, M_READY, 0, 0)               \
    X(102, "421-", GLUED, 0, 0, 0)                               \
    X(103, "421 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(104, "425 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(105, "426 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(106, "430 ", GLUED, 0, 0, 0)                               \
    X(107, "431 ", GLUED, 0, 0, 0)                               \
    X(108, "434 ", GLUED, 0, 0, 0)                               \
    X(109, "450 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(110, "451 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(111, "452 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(112, "500-", GLUED, 0, 0, 0)                               \
    X(113, "500 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(114, "501 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(115, "502 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(116, "503 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(117, "504 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(118, "521 ", GLUED, 0, 0, 0)                               \
    X(119, "522 ", GLUED, 0, 0, 0)                               \
    X(120, "530-", GLUED, 0, 0, 0)                               \
    X(121, "530 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(122, "532 ", GLUED, 0, 0, 0)                               \
    X(123, "533 ", GLUED, 0, 0, 0)                               \
    X(124, "534 ", GLUED, 0, 0, 0)                               \
    X(125, "536 ", GLUED, 0, 0, 0)                               \
    X(126, "550-", GLUED, 0, 0, 0)                               \
    X(127, "550 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(128, "551 ", GLUED, 0, 0, 0)                               \
    X(129, "552 ", ANSWERS | GLUED, M_ERROR, 0, 0)               \
    X(130, "553 ", ANSWERS | GLUED, M_ERROR, 0, 0)

#define WSPI_FTP_ITEMS(X)                                                               \
    X(0, "end", 0)                                                                      \
    X(1, "name", 0)                                                                     \
    X(2, "number", 0)                                                                   \
    X(3, "addr-spec", 0)                                                                \
    X(4, "host-port", 0)                                                                \
    X(5, "port", 0)                                                                     \
    X(6, "rest", 0)                                                                     \
    X(7, "literal", 0)                                                                  \
    X(8, "literal+", 0)                                                                 \
    X(9, "", 0)                                                                         \
    X(10, " ", 0)                                                                       \
    X(11, "(vsFTPd 3.0.3)", M_GREET)                                                    \
    X(12, "(vsFTPd 3.0.5)", M_GREET)                                                    \
    X(13, "(vsFTPd 2.3.4)", M_GREET)                                                    \
    X(14, "FTP Service", M_GREET)                                                       \
    X(15, "FTP server ready.", M_GREET)                                                 \
    X(16, "ProFTPD Server ready.", M_GREET)                                             \
    X(17, "Microsoft FTP Service", M_GREET)                                             \
    X(18, "Welcome to Pure-FTPd", M_GREET)                                              \
    X(19, "FileZilla Server FTP ready.", M_GREET)                                       \
    X(20, "Goodbye.", M_BYE)                                                            \
    X(21, "Goodbye", M_BYE)                                                             \
    X(22, "Bye", M_BYE)                                                                 \
    X(23, "Logout.", M_BYE)                                                             \
    X(24, "See you later...", M_BYE)                                                    \
    X(25, "Switching to Binary mode.", M_DONE)                                          \
    X(26, "Switching to ASCII mode.", M_DONE)                                           \
    X(27, "PORT command successful. Consider using PASV.", M_DONE)                      \
    X(28, "PORT command successful", M_DONE)                                            \
    X(29, "PORT command successful.", M_DONE)                                           \
    X(30, "Type set to I", M_DONE)                                                      \
    X(31, "Type set to A", M_DONE)                                                      \
    X(32, "Type set to I.", M_DONE)                                                     \
    X(33, "Type set to A.", M_DONE)                                                     \
    X(34, "NOOP ok.", M_DONE)                                                           \
    X(35, "Always in UTF8 mode.", M_DONE)                                               \
    X(36, "OK", M_DONE)                                                                 \
    X(37, "EPRT command successful", M_DONE)                                            \
    X(38, "Here comes the directory listing.", M_OPEN)                                  \
    X(39, "Ok to send data.", M_OPEN)                                                   \
    X(40, "Opening ASCII mode data connection for file list", M_OPEN)                   \
    X(41, "Opening ASCII mode data connection for file list.", M_OPEN)                  \
    X(42, "Opening data channel for directory listing", M_OPEN)                         \
    X(43, "Data connection already open. Transfer starting.", M_OPEN)                   \
    X(44, "File status okay; about to open data connection.", M_OPEN)                   \
    X(45, "Transfer complete.", M_CLOSED)                                               \
    X(46, "Transfer complete", M_CLOSED)                                                \
    X(47, "Directory send OK.", M_CLOSED)                                               \
    X(48, "Closing data connection", M_CLOSED)                                          \
    X(49, "Closing data connection.", M_CLOSED)                                         \
    X(50, "Transfer OK", M_CLOSED)                                                      \
    X(51, "ABOR command successful", M_CLOSED)                                          \
    X(52, "File successfully transferred", M_CLOSED)                                    \
    X(53, "Directory successfully changed.", M_CHANGED)                                 \
    X(54, "CWD command successful", M_CHANGED)                                          \
    X(55, "CWD command successful.", M_CHANGED)                                         \
    X(56, "Requested file action okay, completed.", M_CHANGED)                          \
    X(57, "Delete operation successful.", M_CHANGED)                                    \
    X(58, "Remove directory operation successful.", M_CHANGED)                          \
    X(59, "Rename successful.", M_CHANGED)                                              \
    X(60, "File removed", M_CHANGED)                                                    \
    X(61, "\"/\" is the current directory", M_PATH)                                     \
    X(62, "\"/\" is the current directory.", M_PATH)                                    \
    X(63, "\"/\" is current directory.", M_PATH)                                        \
    X(64, "Please specify the password.", M_ASKS)                                       \
    X(65, "Password required", M_ASKS)                                                  \
    X(66, "Password please.", M_ASKS)                                                   \
    X(67, "User name okay, need password.", M_ASKS)                                     \
    X(68, "Anonymous access allowed, send identity (e-mail name) as password.", M_ASKS) \
    X(69, "Username ok, send password.", M_ASKS)                                        \
    X(70, "Guest login ok, type your name as password.", M_ASKS)                        \
    X(71, "Login successful.", M_LOGIN)                                                 \
    X(72, "User logged in.", M_LOGIN)                                                   \
    X(73, "User logged in, proceed.", M_LOGIN)                                          \
    X(74, "User logged in", M_LOGIN)                                                    \
    X(75, "Anonymous access granted, restrictions apply", M_LOGIN)                      \
    X(76, "Guest login ok, access restrictions apply.", M_LOGIN)                        \
    X(77, "Logged on", M_LOGIN)                                                         \
    X(78, "Ready for RNTO.", M_READY)                                                   \
    X(79, "File exists, ready for destination name", M_READY)                           \
    X(80, "Restart position accepted", M_READY)                                         \
    X(81, "Requested file action pending further information", M_READY)                 \
    X(82, "UNIX Type: L8", M_SYSTEM)                                                    \
    X(83, "Windows_NT", M_SYSTEM)                                                       \
    X(84, "UNIX Type: L8.", M_SYSTEM)                                                   \
    X(85, "UNIX emulated by FileZilla", M_SYSTEM)                                       \
    X(86, "Features:", M_MORE)                                                          \
    X(87, "Extensions supported:", M_MORE)                                              \
    X(88, "End", M_END_OF)                                                              \
    X(89, "End.", M_END_OF)                                                             \
    X(90, "END", M_END_OF)                                                              \
    X(91, "Help OK.", M_HELP)                                                           \
    X(92, "Direct comments to the administrator", M_HELP)                               \
    X(93, "Entering Passive Mode (", M_PASSIVE)                                         \
    X(94, "Entering passive mode (", M_PASSIVE)                                         \
    X(95, ").", M_TAIL)                                                                 \
    X(96, ")", M_TAIL)                                                                  \
    X(97, "Entering Extended Passive Mode (|||", M_EXTENDED)                            \
    X(98, "Entering extended passive mode (|||", M_EXTENDED)                            \
    X(99, "|)", M_TAIL_2)                                                               \
    X(100, "|).", M_TAIL_2)                                                             \
    X(101, "Login incorrect.", M_ERROR)                                                 \
    X(102, "Permission denied.", M_ERROR)                                               \
    X(103, "Failed to open file.", M_ERROR)                                             \
    X(104, "Please login with USER and PASS.", M_ERROR)                                 \
    X(105, "Unknown command.", M_ERROR)                                                 \
    X(106, "Not logged in", M_ERROR)                                                    \
    X(107, "Not logged in.", M_ERROR)                                                   \
    X(108, "Login or password incorrect", M_ERROR)                                      \
    X(109, "Command not implemented.", M_ERROR)                                         \
    X(110, "Command not understood", M_ERROR)                                           \
    X(111, "Syntax error", M_ERROR)                                                     \
    X(112, "Syntax error in parameters or arguments.", M_ERROR)                         \
    X(113, "Bad sequence of commands", M_ERROR)                                         \
    X(114, "Bad sequence of commands.", M_ERROR)                                        \
    X(115, "No such file or directory", M_ERROR)                                        \
    X(116, "No such file or directory.", M_ERROR)                                       \
    X(117, "Could not get file size.", M_ERROR)                                         \
    X(118, "SIZE not allowed in ASCII mode", M_ERROR)                                   \
    X(119, "Failed to change directory.", M_ERROR)                                      \
    X(120, "Create directory operation failed.", M_ERROR)                               \
    X(121, "Unable to build data connection", M_ERROR)                                  \
    X(122, "Use PORT or PASV first.", M_ERROR)                                          \
    X(123, "Service not available, closing control connection.", M_ERROR)               \
    X(124, "Timeout.", M_ERROR)                                                         \
    X(125, "Transfer aborted", M_ERROR)                                                 \
    X(126, "Requested action not taken", M_ERROR)                                       \
    X(127, "User cannot log in", M_ERROR)                                               \
    X(128, "Opening BINARY mode data connection for", 0)                                \
    X(129, "Opening ASCII mode data connection for", 0)                                 \
    X(130, "Opening data connection for", 0)                                            \
    X(131, "BINARY data connection established.", 0)                                    \
    X(132, "ASCII data connection established.", 0)                                     \
    X(133, "Active data connection established.", 0)                                    \
    X(134, "Connection accepted", 0)                                                    \
    X(135, "Password required for", 0)                                                  \
    X(136, "User", 0)                                                                   \
    X(137, "user", 0)                                                                   \
    X(138, "logged in", 0)                                                              \
    X(139, "logged in.", 0)                                                             \
    X(140, "OK. Password required", 0)                                                  \
    X(141, "bytes", 0)                                                                  \
    X(142, "bytes)", 0)                                                                 \
    X(143, "bytes).", 0)                                                                \
    X(144, "is the current directory", 0)                                               \
    X(145, "is current directory", 0)                                                   \
    X(146, "is current directory.", 0)                                                  \
    X(147, "created", 0)                                                                \
    X(148, "directory created", 0)                                                      \
    X(149, "has been created.", 0)                                                      \
    X(150, "MDTM", 0)                                                                   \
    X(151, "SIZE", 0)                                                                   \
    X(152, "REST STREAM", 0)                                                            \
    X(153, "PASV", 0)                                                                   \
    X(154, "EPRT", 0)                                                                   \
    X(155, "EPSV", 0)                                                                   \
    X(156, "TVFS", 0)                                                                   \
    X(157, "UTF8", 0)                                                                   \
    X(158, "AUTH TLS", 0)                                                               \
    X(159, "PBSZ", 0)                                                                   \
    X(160, "PROT", 0)                                                                   \
    X(161, "CLNT", 0)                                                                   \
    X(162, "MLST", 0)                                                                   \
    X(163, "MLSD", 0)                                                                   \
    X(164, "SSCN", 0)                                                                   \
    X(165, "CCC", 0)                                                                    \
    X(166, "MFMT", 0)                                                                   \
    X(167, "LANG", 0)                                                                   \
    X(168, "HOST", 0)                                                                   \
    X(169, "TLS", 0)                                                                    \
    X(170, "SSL", 0)                                                                    \
    X(171, "Status of", 0)                                                              \
    X(172, "End of status", 0)                                                          \
    X(173, "End of Status.", 0)                                                         \
    X(174, "Connected from", 0)                                                         \
    X(175, "Logged in as", 0)                                                           \
    X(176, "TYPE: ASCII, STRUcture: File, Mode: Stream", 0)                             \
    X(177, "No data connection", 0)                                                     \
    X(178, "Type set to: Binary.", 0)                                                   \
    X(179, "Type set to: ASCII.", 0)                                                    \
    X(180, "TYPE is now 8-bit binary", 0)                                               \
    X(181, "TYPE is now ASCII", 0)                                                      \
    X(182, "Mode set to", 0)                                                            \
    X(183, "Proceed with negotiation.", 0)                                              \
    X(184, "AUTH TLS successful", 0)                                                    \
    X(185, "PBSZ set to 0.", 0)                                                         \
    X(186, "PROT now Private.", 0)                                                      \
    X(187, "Protection set to Private", 0)                                              \
    X(188, "Anonymous login ok, send your complete email address as your password", 0)  \
    X(189, "OK. Current directory is", 0)                                               \
    X(190, "OK. Current restricted directory is", 0)                                    \
    X(191, "CWD successful.", 0)                                                        \
    X(192, "current directory", 0)                                                      \
    X(193, "The following commands are recognized", 0)                                  \
    X(194, "Directory", 0)                                                              \
    X(195, "directory", 0)                                                              \
    X(196, "File", 0)                                                                   \
    X(197, "file", 0)                                                                   \
    X(198, "Invalid", 0)                                                                \
    X(199, "command", 0)                                                                \
    X(200, "Error", 0)                                                                  \
    X(201, "Error:", 0)                                                                 \
    X(202, "Failed", 0)                                                                 \
    X(203, "failed", 0)                                                                 \
    X(204, "denied", 0)                                                                 \
    X(205, "required", 0)                                                               \
    X(206, "not", 0)                                                                    \
    X(207, "allowed", 0)                                                                \
    X(208, "connection", 0)                                                             \
    X(209, "Connection", 0)                                                             \
    X(210, "refused", 0)                                                                \
    X(211, "closed", 0)                                                                 \
    X(212, "timeout", 0)                                                                \
    X(213, "Server", 0)                                                                 \
    X(214, "server", 0)                                                                 \
    X(215, "FTP server", 0)                                                             \
    X(216, "FTP", 0)                                                                    \
    X(217, "ftp", 0)                                                                    \
    X(218, "FTPD", 0)                                                                   \
    X(219, "vsFTPd", 0)                                                                 \
    X(220, "ProFTPD", 0)                                                                \
    X(221, "Pure-FTPd", 0)                                                              \
    X(222, "pure-ftpd", 0)                                                              \
    X(223, "FileZilla", 0)                                                              \
    X(224, "Microsoft", 0)                                                              \
    X(225, "Serv-U", 0)                                                                 \
    X(226, "bftpd", 0)                                                                  \
    X(227, "LightFTP", 0)                                                               \
    X(228, "wu-", 0)                                                                    \
    X(229, "NetBSD-ftpd", 0)                                                            \
    X(230, "Samba", 0)                                                                  \
    X(231, "BusyBox", 0)                                                                \
    X(232, "Version", 0)                                                                \
    X(233, "ready", 0)                                                                  \
    X(234, "ready.", 0)                                                                 \
    X(235, "Ready", 0)                                                                  \
    X(236, "Welcome", 0)                                                                \
    X(237, "welcome", 0)                                                                \
    X(238, "to", 0)                                                                     \
    X(239, "anonymous", 0)                                                              \
    X(240, "guest", 0)                                                                  \
    X(241, "I", 0)                                                                      \
    X(242, "A", 0)                                                                      \
    X(243, "S", 0)                                                                      \
    X(244, "F", 0)                                                                      \
    X(245, "N", 0)                                                                      \
    X(246, "ON", 0)                                                                     \
    X(247, "on", 0)                                                                     \
    X(248, "utf8", 0)                                                                   \
    X(249, "HASH", 0)                                                                   \
    X(250, "CHMOD", 0)                                                                  \
    X(251, "-a", 0)                                                                     \
    X(252, "-l", 0)                                                                     \
    X(253, "-al", 0)                                                                    \
    X(254, "-la", 0)                                                                    \
    X(255, "/", 0)                                                                      \
    X(256, "..", 0)                                                                     \
    X(257, "/.", 0)                                                                     \
    X(258, "\"", 0)                                                                     \
    X(259, "\".", 0)                                                                    \
    X(260, "'", 0)                                                                      \
    X(261, "',", 0)                                                                     \
    X(262, "'.", 0)                                                                     \
    X(263, "(", 0)                                                                      \
    X(264, "[", 0)                                                                      \
    X(265, "]", 0)                                                                      \
    X(266, "[privsep] [TLS]", 0)                                                        \
    X(267, "----------", 0)                                                             \
    X(268, "---------", 0)                                                              \
    X(269, ",", 0)                                                                      \
    X(270, ".", 0)                                                                      \
    X(271, ";", 0)                                                                      \
    X(272, ":", 0)                                                                      \
    X(273, "=", 0)

#endif
