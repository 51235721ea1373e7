/* SPDX-License-Identifier: Apache-2.0 */
/*
 * side.c: whose packet a capture has first of a flow. The flow table calls who is seen first the initiator, which tokens of
 * recorded captures, and so models, rely on; who goes on with a flow, or takes what the client sent, needs to know better.
 */
#include "task/task_int.h"
#include "token/token_int.h"

/* The less, the more it looks like a server's. */
static int rank(uint16_t port)
{
    unsigned token = wspi_port_token(port);

    return token >= WSPI_PORT_CLASSES ? 0 : token == WSPI_PORT_SYSTEM ? 1 : 2;
}

bool wspi_server_first(const wsp_packet *first)
{
    enum { UDP = 17, TCP = 6 };
    const wsp_flow_key *key = wsp_packet_key(first);
    bool opens = wsp_packet_tcp_flags(first) & WSPI_TH_SYN; /* the flow table has seen that */

    return (key->proto == TCP || key->proto == UDP) && !opens &&
           rank(key->port[0]) < rank(key->port[1]);
}
