#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""modbus_server.py ADDRESS SEED: a device with coils, inputs and registers."""
import random
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartTcpServer

if __name__ == "__main__":
    rng = random.Random(int(sys.argv[2]))
    bits = [[rng.getrandbits(1) for _ in range(400)] for _ in range(2)]
    words = [[rng.getrandbits(rng.choice((1, 8, 16))) for _ in range(400)] for _ in range(2)]
    store = ModbusSlaveContext(co=ModbusSequentialDataBlock(0, bits[0]), di=ModbusSequentialDataBlock(0, bits[1]),
                               hr=ModbusSequentialDataBlock(0, words[0]), ir=ModbusSequentialDataBlock(0, words[1]))
    StartTcpServer(context=ModbusServerContext(slaves=store, single=True), address=(sys.argv[1], 502))
