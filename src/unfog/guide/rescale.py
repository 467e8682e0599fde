"""Guidance rescale: give the guided estimate back the contrast it had before (Lin et al. 2023).

arXiv 2305.08891, section 3.4. Guidance lengthens the estimate, and long estimates glare. The paper rescales
what its network predicts (v). Here it is the clean estimate: noise and v hold x_t as well, and with it the
schedule, so that their spread would depend on both; the clean estimate is the same on every schedule and for
every target. Where there is hardly any signal, the two agree: v is then the clean estimate but for its sign.
"""

from __future__ import annotations

from torch import Tensor


def rescaled(guided: Tensor, asked: Tensor, share: float) -> Tensor:
    """The guided estimate with the standard deviation of the asked one, mixed with itself.

    Args:
        guided, asked: clean estimates with and without guidance, (B, *S).
        share: of the rescaled one, 0 (off) to 1; the paper used 0.7.

    Returns:
        (B, *S); with share 1 each example has the standard deviation that ``asked`` has.
    """
    wanted, found = (x.flatten(1).std(1, correction=0) for x in (asked, guided))
    ratio = wanted / found.clamp_min(1e-12)
    return guided * (1 + share * (ratio - 1)).view(-1, *[1] * (guided.ndim - 1))
