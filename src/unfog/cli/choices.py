"""Names that help texts show. They repeat tables whose rooms load torch, and a test holds them to those."""

SAMPLERS = (
    "dpm++2m, dpm++1, dpm++2s, dpm++3m, unipc, deis, ipndm, learned, euler, heun, rk4, adaptive, ddim, "
    "ddpm, euler-maruyama, sde-dpm++2m, restart, langevin, pc"
)
TOKEN_SAMPLERS = "ancestral, confidence, entropy, margin, threshold, random, reading, remask, uniform"
GRIDS = "karras, log-snr, exponential, uniform, quadratic, shifted, optimised"
