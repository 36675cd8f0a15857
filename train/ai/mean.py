#!/usr/bin/env python3
"""Averages trained networks of one shape: mean.py NAME OUT.npz FILE.npz FILE.npz...

NAME: of model.py's table. The parameters that the integers of each file stand for are averaged and rounded again.
"""
import sys

import torch

from model import SPECS, Net
from pack import layers
from train import export


def mean(name, files):
    """(the network, the averaged parameters)"""
    nets = [Net(SPECS[name], torch.device("cpu")) for _ in files]
    for net, path in zip(nets, files):
        net.start(layers(path))
    return nets[0], torch.stack([net.theta for net in nets]).mean(0)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit("mean.py NAME OUT.npz FILE.npz FILE.npz...")
    export(sys.argv[2], *mean(sys.argv[1], sys.argv[3:]))
