"""The types of GGUF files that can be made here, by llama.cpp's names, the largest first."""

from typing import Final

QUANTIZATIONS: Final = (
    *("F32", "F16", "BF16"),
    *("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_K_S", "Q4_0", "Q3_K_M", "Q2_K"),
)
