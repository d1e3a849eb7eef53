"""The image model of the 2020 lab log, part by part; the ray model and its kernels; blending with paths."""
