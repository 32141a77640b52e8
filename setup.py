"""The one package definition: `pip install .`, and what Beam's `--setup_file` takes."""

from pathlib import Path

from setuptools import Extension, find_packages, setup

BEAM_VERSION = ">=2.77,<2.78"

setup(
    name="maskmill",
    version="0.1.0",
    description="Steel-defect images and run-length masks to sharded HDF5, on Apache Beam",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    # maskmill/pipeline and maskmill/transforms are links to the folders beside maskmill/: no other name is installed.
    packages=find_packages(include=["maskmill", "maskmill.*"]),
    # Where there is no compiler, it is left out, and NumPy does the same.
    ext_modules=[Extension("maskmill.transforms._kernel", ["transforms/kernel.c"], optional=True)],
    package_data={
        "maskmill": ["py.typed"],
        "maskmill.transforms": ["_kernel.pyi"],
        "maskmill.pipeline.report": ["page.html"],
    },
    install_requires=[
        f"apache-beam{BEAM_VERSION}",
        "numpy>=1.26",
        "pandas>=2.2,<2.4",  # as in Beam's extras: within IPython it imports pandas, and fails with 3.x
        "h5py>=3.11",
        "Pillow>=11",
        "simplejpeg>=1.8",
        "PyYAML>=6",
        "pydantic>=2.7,<3",
        "threadpoolctl>=3.2",
        "tqdm>=4.66",
        "shtab>=1.7",
    ],
    extras_require={
        "gcp": [f"apache-beam[gcp]{BEAM_VERSION}"],
        "aws": [f"apache-beam[aws]{BEAM_VERSION}"],
        "read": ["zlib-ng>=0.5", "fsspec>=2024.6"],
        "torch": ["torch>=2.4", "zlib-ng>=0.5"],
        "report": ["matplotlib>=3.9", "Jinja2>=3.1"],
        "airflow": [
            "apache-airflow>=3,<4",
            "apache-airflow-providers-apache-beam",
            "apache-airflow-providers-google",  # without it, the operator for Beam cannot be made
            "apache-airflow-providers-standard",
        ],
        "test": [
            "pytest>=8",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.6",
            "hypothesis>=6.100",
            "ipython>=8",
            "ipykernel>=6.29",
            "nbclient>=0.10",
            "psutil>=5.9",
            "py-spy>=0.4",  # the benchmark of the interpreter's lock
            "prometheus_client>=0.20",
            "setuptools>=70.1",
            "zlib-ng>=0.5",
            "fsspec>=2024.6",
        ],
        "test-browser": ["playwright>=1.48"],
        "test-stores": ["moto[server]>=5.1", "gcsfs>=2024.6", "s3fs>=2024.6"],
        "test-torch": ["accelerate>=1"],
        "test-libraries": [
            "albumentations>=2",
            "datasets>=4,<5",  # mosaicml-streaming needs an older huggingface_hub than 5 does
            "keras>=3",
            "lightning>=2.5",
            "litdata>=0.2.50",
            "mlcroissant>=1.1",
            "mosaicml-streaming>=0.13",
            "segmentation-models-pytorch>=0.5",
            "webdataset>=1",
        ],
        "lint": ["ruff>=0.6", "mypy>=1.11", "types-PyYAML", "types-tqdm"],
    },
    entry_points={
        "console_scripts": [
            "maskmill=maskmill.pipeline.cli:main",
            "maskmill-worker=maskmill.pipeline.runners.worker:main",
        ]
    },
)
