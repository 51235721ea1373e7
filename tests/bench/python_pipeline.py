#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""python_pipeline.py: from a capture to the labels of its flows as it is done in Python, to be set beside `wirespeak classify`.

usage: python_pipeline.py [--features | --padded] MODEL CAPTURE

One process reads the capture with dpkt and makes the tokens of the first 24 packets of each flow as netFound's preprocessing
does (arXiv 2310.17025: header fields of IP, TCP, UDP and ICMP and 12 bytes of payload as 2-byte values, 13 to 18 a packet); a second
one runs the network of MODEL on them in PyTorch, tuned as in torch_peer.py and with bfloat16 where the CPU has it, while the first one reads
on. The numbers of the tokens are folded into the model's vocabulary, so what is measured is time alone: the labels mean nothing. --features: the
first process alone. --padded: as such pipelines are mostly written and found: one process that reads and runs the network in turns, 64 flows at a time, padded
(torch_padded.py), float32, with PyTorch's own threads. Prints flows, packets and tokens.
Needs Debian's python3-dpkt, python3-torch and python3-numpy; better with libopenblas0-openmp and libjemalloc2.
"""
import argparse
import multiprocessing
import os
import sys

import torch_env

PACKETS, PAYLOAD, BATCH_TOKENS, BATCH_FLOWS = 24, 12, 65536, 64


def arguments():
    p = argparse.ArgumentParser(description="labels of a capture's flows, in Python")
    p.add_argument("--features", action="store_true", help="no model")
    p.add_argument("--padded", action="store_true", help="one process, padded batches, nothing tuned")
    p.add_argument("model")
    p.add_argument("capture")
    return p.parse_args()


def words(data):
    """Big-endian 2-byte values of bytes, the last one padded."""
    return [data[i] << 8 | (data[i + 1] if i + 1 < len(data) else 0) for i in range(0, len(data), 2)]


def transport_tokens(dpkt, ip, first):
    """Key of the ports and tokens of what IP carries, or None. first: sequence numbers that the flow began with, by direction."""
    t = ip.data
    if isinstance(t, dpkt.tcp.TCP):
        base = first.setdefault((ip.src, t.sport), t.seq)
        peer = first.get((ip.dst, t.dport), t.ack)
        seq, ack = t.seq - base & 0xffffffff, t.ack - peer & 0xffffffff
        fields = [t.flags, t.win, seq >> 16, seq & 0xffff, ack >> 16, ack & 0xffff, t.urp]
    elif isinstance(t, dpkt.udp.UDP):
        fields = [t.ulen]
    elif isinstance(t, dpkt.icmp.ICMP):
        return fields_and_payload([t.type, t.code], bytes(t.data))
    else:
        return None
    return fields_and_payload(fields, t.data)


def fields_and_payload(fields, payload):
    return fields + words(payload[:PAYLOAD] if isinstance(payload, bytes) else bytes(payload)[:PAYLOAD])


def packet(dpkt, frame, link):
    """Its IP header, or None."""
    try:
        ip = dpkt.ethernet.Ethernet(frame).data if link == dpkt.pcap.DLT_EN10MB else dpkt.ip.IP(frame)
    except (dpkt.UnpackError, IndexError):
        return None
    return ip if isinstance(ip, (dpkt.ip.IP, dpkt.ip6.IP6)) else None


def ip_tokens(dpkt, ip):
    if isinstance(ip, dpkt.ip.IP):
        return [ip.hl * 4, ip.tos, ip.len, ip.rf << 2 | ip.df << 1 | ip.mf, ip.ttl]
    return [40, 0, ip.plen + 40, 0, ip.hlim]


def read(path, send):
    """Hands batches of flows, each a list of packets' tokens, to send; returns the number of flows and packets."""
    import dpkt  # here: the process of the model does not need it
    flows, batch, tokens, n_flows, n_packets = {}, [], 0, 0, 0
    with open(path, "rb") as f:
        capture = dpkt.pcap.Reader(f)
        link = capture.datalink()
        for _, frame in capture:
            n_packets += 1
            ip = packet(dpkt, frame, link)
            if ip is None:
                continue
            ends = sorted(((ip.src, getattr(ip.data, "sport", 0)), (ip.dst, getattr(ip.data, "dport", 0))))
            key = ip.p if isinstance(ip, dpkt.ip.IP) else ip.nxt, *ends
            flow = flows.get(key)
            if flow is None:
                flow = flows[key] = [[], {}]
                n_flows += 1
            if flow[0] is None:
                continue
            rest = transport_tokens(dpkt, ip, flow[1])
            if rest is None:
                continue
            flow[0].append(ip_tokens(dpkt, ip) + rest)
            if len(flow[0]) == PACKETS:
                batch.append(flow[0])
                tokens += sum(map(len, flow[0]))
                flow[0] = None
            if tokens >= BATCH_TOKENS:
                send(batch)
                batch, tokens = [], 0
    for flow, _ in flows.values():
        if flow:
            batch.append(flow)
            tokens += sum(map(len, flow))
        if tokens >= BATCH_TOKENS:
            send(batch)
            batch, tokens = [], 0
    if batch:
        send(batch)
    return n_flows, n_packets


def label(path, receive, count):
    """The model's process: labels of all batches until None comes."""
    import numpy as np
    import torch
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:0] = [here, os.path.join(here, "..", "..", "contrib")]
    import torch_fast
    import torch_model
    plain = torch_model.Model(path)
    half = torch_env.cpu_has("amx_bf16")  # without tiles float32 is faster, as for the engine
    model = torch_fast.Model(plain, torch.bfloat16 if half else torch.float32)
    torch.set_num_threads(os.cpu_count() or 1)
    text = plain.config.get("text_first", 0), plain.config.get("text_count", 0)
    n_tokens = n_labels = 0
    with torch.no_grad():
        model.weights()
        for flows in iter(receive, None):
            packets = [p for f in flows for p in f]
            ids = np.concatenate([np.array(p, np.int64) for p in packets]) % plain.config["vocab"]
            packet_off = np.concatenate([[0], np.cumsum([len(p) for p in packets])])
            flow_off = np.concatenate([[0], np.cumsum([len(f) for f in flows])])
            b = torch_fast.Batch(ids, packet_off, flow_off, np.zeros((len(flows), len(plain.heads)), np.int64), text)
            logits = model.infer(b)[1]
            last = torch.tensor(flow_off[1:] - 1)
            n_labels += len([head[last].argmax(1).tolist() for head in logits][0])
            n_tokens += len(ids)
    count.send((n_labels, n_tokens))


def padded(path, capture):
    """Reads and labels in one process."""
    import torch
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:0] = [here, os.path.join(here, "..", "..", "contrib")]
    import torch_model
    import torch_padded
    model, labels, waiting = torch_padded.Model(path), [], []
    tokens = [0]

    def send(batch):
        for flow in batch:
            tokens[0] += sum(map(len, flow))
            waiting.append([[t % model.config["vocab"] for t in p] for p in flow])
        while len(waiting) >= BATCH_FLOWS or waiting and not batch:
            labels.extend(model.infer(waiting[:BATCH_FLOWS])[0].argmax(1).tolist())
            if len(labels) <= BATCH_FLOWS:
                apart = torch_padded.check(model, torch_model.Model(path), waiting[:8])
                if not apart < 1e-3:
                    sys.exit(f"python_pipeline.py: the padded model is not the plain one: logits differ by {apart:.1e}")
            del waiting[:BATCH_FLOWS]

    with torch.no_grad():
        flows, packets = read(capture, send)
        send([])
    print(f"{flows} flows, {packets} packets, {tokens[0]} tokens, {len(labels)} labels")


def main(o):
    tokens = [0]
    if o.padded:
        padded(o.model, o.capture)
        return
    if o.features:
        def send(batch):
            tokens[0] += sum(len(p) for f in batch for p in f)
        flows, packets = read(o.capture, send)
        print(f"{flows} flows, {packets} packets, {tokens[0]} tokens, no labels")
        return
    queue, (count, sender) = multiprocessing.Queue(4), multiprocessing.Pipe(False)
    model = multiprocessing.Process(target=label, args=(o.model, queue.get, sender), daemon=True)
    model.start()
    flows, packets = read(o.capture, queue.put)
    queue.put(None)
    labels, n_tokens = count.recv()
    model.join()
    print(f"{flows} flows, {packets} packets, {n_tokens} tokens, {labels} labels")


if __name__ == "__main__":
    OPTIONS = arguments()
    if not OPTIONS.padded and "OMP_NUM_THREADS" not in os.environ:  # the libraries read these when they are loaded
        os.execve(sys.executable, [sys.executable] + sys.argv, dict(os.environ) | torch_env.tuned(os.cpu_count() or 1))
    main(OPTIONS)
