# SPDX-License-Identifier: Apache-2.0
"""The recorder: sandbox, network, relay, captures, flows, one take, the corpus."""
