# SPDX-License-Identifier: Apache-2.0
"""What the wide-area network does to plain packets and to TCP, held against what it was told."""
import socket
import statistics
import threading
import time

from netbench import wan
from netbench.output import progress

PORT = 9900
PACKET_BYTES = 100


def udp_socket(network, index):
    with wan.inside(network.spaces[index]):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((network.address(index), PORT))
    made.settimeout(1)
    return made


def echo_packets(served, ended):
    while not ended.is_set():
        try:
            data, sender = served.recvfrom(2048)
            served.sendto(data, sender)
        except TimeoutError:
            pass


def round_trips(network, count, interval_s):
    """Milliseconds of each packet that came back, and how many were sent."""
    ended = threading.Event()
    with udp_socket(network, 1) as served, udp_socket(network, 0) as asking:
        echo = threading.Thread(target=echo_packets, args=(served, ended))
        echo.start()
        sent, found = {}, {}

        def listen():
            while len(found) < count:
                try:
                    number = int.from_bytes(asking.recv(2048)[:4], "little")
                except TimeoutError:
                    return
                found[number] = (time.monotonic() - sent[number]) * 1e3

        listener = threading.Thread(target=listen)
        listener.start()
        for number in range(count):
            sent[number] = time.monotonic()
            asking.sendto(number.to_bytes(4, "little").ljust(PACKET_BYTES, b"\0"), (network.address(1), PORT))
            time.sleep(interval_s)
        listener.join()
        ended.set()
        echo.join()
    return list(found.values()), count


def tcp_mbit_per_s(network, seconds):
    """One stream of kernel TCP, without its first second."""
    with wan.inside(network.spaces[1]):
        listener = socket.create_server((network.address(1), PORT))
    with wan.inside(network.spaces[0]):
        sending = socket.socket()
    sending.connect((network.address(1), PORT))
    receiving, _ = listener.accept()
    listener.close()

    def send():
        data = bytes(1 << 18)
        try:
            while True:
                sending.sendall(data)
        except OSError:
            pass

    sender = threading.Thread(target=send)
    sender.start()
    start, taken, first = time.monotonic(), 0, None
    while time.monotonic() - start < seconds + 1:
        got = len(receiving.recv(1 << 18))
        if time.monotonic() - start > 1:
            first = first or time.monotonic()
            taken += got
    rate = taken * 8 / (time.monotonic() - first) / 1e6
    receiving.close()  # With bytes unread: the sender is told so at once.
    sender.join()
    sending.close()
    return rate


def measure(options, _folder):
    wan.go_first()  # With both ends of every packet; it is the network that is looked at.
    rows = []
    shapes = [wan.Shape(), wan.Shape(5), wan.Shape(20), wan.Shape(40), wan.Shape(20, loss=0.01),
              wan.Shape(20, mbit_per_s=100), wan.Shape(20, loss=0.001, mbit_per_s=100)]
    with wan.Wan(2, options.shaper, options.seed, options.congestion) as network:
        for shape in shapes:
            network.shape(shape)
            progress(f"wan: {shape}")
            times, sent = round_trips(network, 2000 if shape.loss else 300, 0.002)
            rows.append({"shape": str(shape), "rtt_ms": statistics.median(times),
                         "rtt_ms_p99": sorted(times)[len(times) * 99 // 100],
                         "lost_of_round_trips": 1 - len(times) / sent, "lost_expected": 1 - (1 - shape.loss) ** 2,
                         "tcp_mbit_per_s": tcp_mbit_per_s(network, 4)})
        shaper = network.shaper
    return {"shaper": shaper, "carried": network.totals, "rows": rows}


def show(result):
    print(f"\nshaped by: {result['shaper']}; carried in all: {result['carried']}\n")
    print("| shape | RTT median / p99 | lost both ways together (expected) | one TCP stream |\n|---|---|---|---|")
    for row in result["rows"]:
        print(f"| {row['shape']} | {row['rtt_ms']:.2f} / {row['rtt_ms_p99']:.2f} ms | {row['lost_of_round_trips']:.2%} "
              f"({row['lost_expected']:.2%}) | {row['tcp_mbit_per_s']:.1f} Mbit/s |")
