"""Made the files of this folder: python tests/golden/colours/make.py"""

import sys
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, features

HERE = Path(__file__).parent
HEIGHT, WIDTH = 64, 96

random = np.random.default_rng(0)
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
noise = random.integers(0, 256, (HEIGHT, WIDTH), np.uint8)
# Squares of 8 pixels, each red, green, blue, cyan, magenta, yellow, black or white.
squares = np.kron(random.choice([0, 255], (HEIGHT // 8, WIDTH // 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
# Each pixel one of these colours.
specks = random.choice(np.array([0, 255], np.uint8), (HEIGHT, WIDTH, 3))
gradients = np.stack([x * 255 // WIDTH, y * 255 // HEIGHT, 255 - x * 255 // WIDTH], -1).astype(np.uint8)
grey = np.repeat(noise[:, :, np.newaxis], 3, axis=2)
tinted = np.clip(grey.astype(int) + [12, 0, -12], 0, 255).astype(np.uint8)
one_block = grey.copy()
one_block[48:, 80:] = [255, 0, 0]

images = {
    "squares_420": (squares, {"subsampling": 2, "quality": 75}),
    "squares_444": (squares, {"subsampling": 0, "quality": 75}),
    "specks_420": (specks, {"subsampling": 2, "quality": 75}),
    "specks_422": (specks, {"subsampling": 1, "quality": 90}),
    "specks_444": (specks, {"subsampling": 0, "quality": 30}),
    "specks_progressive": (specks, {"subsampling": 2, "quality": 75, "progressive": True}),
    "specks_optimized": (specks, {"subsampling": 2, "quality": 75, "optimize": True}),
    "specks_restarts": (specks, {"subsampling": 2, "quality": 75, "restart_marker_blocks": 2}),
    "gradients_420": (gradients, {"subsampling": 2, "quality": 90}),
    "tinted_420": (tinted, {"subsampling": 2, "quality": 90}),
    "one_block_420": (one_block, {"subsampling": 2, "quality": 75}),
    "grey_420": (grey, {"subsampling": 2, "quality": 75}),
    "grey_444": (grey, {"subsampling": 0, "quality": 95, "optimize": True}),
    "stored_as_rgb": (specks, {"keep_rgb": True, "quality": 75}),
    "cmyk": (specks, {"quality": 75}),
}

expected, expected_rgb = {}, {}
for name, (pixels, options) in images.items():
    path = HERE / "data" / "train_images" / f"{name}.jpg"
    image = Image.fromarray(pixels)
    (image.convert("CMYK") if name == "cmyk" else image).save(path, "JPEG", **options)
    with Image.open(path) as file:
        expected[path.name] = np.asarray(file.convert("L"))
        expected_rgb[path.name] = np.asarray(file.convert("RGB")).transpose(2, 0, 1)
np.savez_compressed(HERE / "expected.npz", **expected)
np.savez_compressed(HERE / "expected_rgb.npz", **expected_rgb)
rows = "".join(f"{name},3,1 {5 + number}\n" for number, name in enumerate(expected))
(HERE / "data" / "train.csv").write_text("ImageId,ClassId,EncodedPixels\n" + rows)
print(f"Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}, Python {sys.version.split()[0]}")
