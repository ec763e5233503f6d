"""Writes checkpoints in the safetensors format: the length of a JSON header in eight bytes, the header, the numbers."""
import json
import struct


def shape_of(values):
    return [len(values), *shape_of(values[0])] if isinstance(values, list) else []


def flattened(values):
    return [number for part in values for number in flattened(part)] if isinstance(values, list) else [values]


def save(path, tensors):
    """`tensors`: nested lists of numbers by name, written as float32 in row-major order."""
    header, data = {}, b""
    for name, values in tensors.items():
        numbers = flattened(values)
        begin, data = len(data), data + struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape_of(values), "data_offsets": [begin, len(data)]}
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)
