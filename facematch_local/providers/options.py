"""Options of execution providers, in the form that ONNX Runtime takes."""

from __future__ import annotations

from pathlib import Path

from facematch_local.providers.provider import Provider

_OpenVinoCpu = "CPU"


def provider_options(
    provider: Provider, *, cache: Path | None, intra_op_threads: int, concurrent_runs: int
) -> dict[str, str]:
    """The options of a provider.

    All of them ask for 32-bit arithmetic, in which results equal those of the CPU's provider, and keep files only in
    `cache`.

    Args:
        provider: the provider.
        cache: folder for compiled models; None: nothing is kept.
        intra_op_threads: threads of one inference.
        concurrent_runs: inferences at the same time.
    """
    folder = None if cache is None else str(cache)
    match provider.name:
        case "openvino":
            # Concurrent runs wait for each other unless each has a stream. The number of threads is that of all. A
            # cache of compiled models is written anew at each start and saves no time.
            return {
                "device_type": _OpenVinoCpu,
                "precision": "FP32",
                "num_streams": str(concurrent_runs),
                "num_of_threads": str(concurrent_runs * intra_op_threads),
            }
        case "cuda":
            # TF32 has 10 bits of mantissa. An exhaustive search for the fastest convolution runs at each new photo
            # size, and may choose another one at each start.
            return {
                "use_tf32": "0",
                "cudnn_conv_algo_search": "HEURISTIC",
                "arena_extend_strategy": "kSameAsRequested",
            }
        case "tensorrt":
            options = {"trt_fp16_enable": "0"}
            if folder:
                options |= {"trt_engine_cache_enable": "1", "trt_engine_cache_path": folder}
                options |= {"trt_timing_cache_enable": "1", "trt_timing_cache_path": folder}
            return options
        case "coreml":
            # With all compute units a network with inputs of any size can end the process.
            options = {"ModelFormat": "MLProgram", "MLComputeUnits": "CPUAndGPU"}
            return options | ({"ModelCacheDirectory": folder} if folder else {})
        case _:
            return {}
