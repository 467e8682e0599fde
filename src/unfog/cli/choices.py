"""Names that help texts show. They repeat tables whose rooms load torch, and a test holds them to those."""

SAMPLERS = "dpm++2m, dpm++2s, dpm++3m, unipc, deis, ipndm, heun, ddim, ddpm, sde-dpm++2m"
