"""Which sampler of unfog answers to which scheduler of diffusers 0.42.1: a line for each pair.

A pair without `why` has to agree down to rounding as it is. A pair with `changes` has to agree once these
words of the scheduler's source are replaced, which proves that `why` is the whole of the difference. A pair
with `why` alone would differ for a reason that no such change takes away; there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from parity_peer import (
    Changes,
    Lay,
    by_flow,
    by_products,
    by_sigmas,
    by_strides,
    geometric,
    halved,
    heun,
    quarter_turn,
)

from unfog.process import DDPM, EDM, Cosine, Flow, Schedule
from unfog.sample import SAMPLERS

V = {"prediction_type": "v_prediction"}
PLAIN = {**V, "clip_sample": False}
FULL = {**V, "lower_order_final": False}  # no lower orders near the end, but for the step to sigma 0
SECOND = {**V, "solver_order": 2}
THIRD = {**FULL, "solver_order": 3, "solver_type": "heun"}  # its second step as an exact integral
KARRAS, EQUAL = {"use_karras_sigmas": True}, {"use_exponential_sigmas": True}  # grids; the second in l
LINEAR = {"beta_start": 1e-4, "beta_end": 0.02, **V}
UNIT = {**V, "sigma_data": 1.0}  # their preconditioning is then v
TURN, ROOT, LINE = ({"schedule": schedule} for schedule in (Cosine(), EDM(0.0), Flow()))
CHURNED = {  # as high as the scheduler lets it, on a schedule that reaches above the grid
    "schedule": EDM(0.0, 120.0),
    "own": {"churn": 2**0.5 - 1},
    "stepping": {"s_churn": float("inf")},
}
FLOWING = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "lower_order_final": False}


@dataclass(frozen=True)
class Pair:
    """One line of the table.

    Attributes:
        sampler: a name of `unfog.sample.SAMPLERS`.
        scheduler: a class of diffusers.
        options: its configuration.
        lay: how its grid is set and read.
        own: settings of the sampler.
        stepping: further arguments of the scheduler's `step`.
        schedule: the schedule of both.
        changes: replacements in the scheduler's source that make it agree.
        why: what differs without them, and who is nearer.
        note: a few words that tell this line from its neighbours.
    """

    sampler: str
    scheduler: str
    options: dict[str, Any]
    lay: Lay = by_sigmas
    own: dict[str, Any] = field(default_factory=dict)
    stepping: dict[str, Any] = field(default_factory=dict)
    schedule: Schedule = field(default_factory=DDPM)
    changes: Changes = ()
    why: str = ""
    note: str = ""

    @property
    def stochastic(self) -> bool:
        """Whether noise is added on the way, with these settings."""
        return SAMPLERS[self.sampler].stochastic or bool({"eta", "churn"} & set(self.own))

    @property
    def title(self) -> str:
        """Both names, and what else tells this line from others."""
        note = f" ({self.note})" if self.note else ""
        return f"{self.sampler}{note} / {self.scheduler.removesuffix('Scheduler')}"


MULTI, SINGLE, UNIPC = (
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "UniPCMultistepScheduler",
)
DEIS, IPNDM, HEUN = "DEISMultistepScheduler", "IPNDMScheduler", "HeunDiscreteScheduler"
EULER, ANCESTRAL = "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"
EDM_MULTI, EDM_EULER = "EDMDPMSolverMultistepScheduler", "EDMEulerScheduler"
FLOW_EULER, FLOW_HEUN = "FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"
RHO = (  # Lagrange's polynomials in sigma / alpha where diffusers has them in its logarithm
    (
        "return t * (-np.log(c) + np.log(t) - 1) / (np.log(b) - np.log(c))",
        "return (t * t / 2 - c * t) / (b - c)",
    ),
    (
        "return numerator / denominator",
        "return (t**3 / 3 - (c + d) * t**2 / 2 + c * d * t) / ((b - c) * (b - d))",
    ),
)
DOUBLED = (("D2 = (1.0 /", "D2 = (2.0 /"),)
SOLVED = (("if order == 2:", "if False:"), ("if order == 1:", "if False:"))  # no shortcuts

SOLVED_3 = (
    *SOLVED,
    (
        "min(self.config.solver_order, len(self.timesteps) - self.step_index)",
        "self.config.solver_order if self.step_index < len(self.timesteps) - 1 else 1",
    ),
)
ASKED = (("# 1. compute predicted original", "model_output = self.ask(sample, sigma_hat)  # original"),)
DDIM_LAST = (("if len(self.ets) == 1:", "if len(self.ets) == 1 or self.alphas[prev_timestep_index] == 1:"),)
HEEDED = (  # where alpha is 0, v is -x; nothing is remembered from there
    *DDIM_LAST,
    (
        "# upon completion increase step index by one",
        """if self.alphas[timestep_index] == 0:
            alpha, sigma = self.alphas[prev_timestep_index], self.betas[prev_timestep_index]
            prev_sample = sigma * sample - alpha * model_output
            self.ets = []""",
    ),
)
OVER_RATIO = (  # from (x, velocity) at both ends to their noises, and along these
    (
        "derivative = 0.5 * (self.prev_derivative + derivative)",
        """noises = self.sample + (1 - sigma) * self.prev_derivative + sample + (1 - sigma_next) * derivative
            keep = (1 - sigma_next) / (1 - sigma)
            end = keep * self.sample + (sigma_next - keep * sigma) * noises / 2
            derivative = self.prev_derivative if sigma == 1 else (end - self.sample) / self.dt""",
    ),
)

HALF = """The last term of the parabola counts half in the scheduler, as in the authors' code: D2 is the
coefficient of the square, but its weight is that of a second derivative. unfog integrates the parabola
exactly and is of third order; with the half term the order is two (from 100 to 400 equal steps of l the
difference falls by 16). On these steps unfog is nearer from 10 on, and 2 to 5 times from 17 to 29. On the
two other grids the long last steps decide, and there the half term happens to be nearer at many numbers of
steps."""
ONES = """The scheduler sets two weights to 1/2 (predictor of order 2, corrector of order 1), the shortcut
of UniPC's paper, which leaves the order what it is (from 100 to 400 equal steps of l the difference falls
by 69; third order is 64); unfog solves for them. Neither is nearer throughout: unfog is on equal steps of
t, the scheduler from 7 equal steps of l on."""
RHO_WHY = """DEIS is published with polynomials in t (tAB) and in sigma / alpha (rho-AB). unfog has the
second; the scheduler has them in the logarithm of sigma / alpha, a later variant with closed forms. The
logarithm is nearer at 2 to 5 steps and at 20, sigma / alpha at 7 to 17 and from 29 on."""
DDIM_END = """unfog's last step, if it ends at sigma 0, is DDIM's; the scheduler extrapolates four noises
into it. Grids that end above 0 do not show it. On this smooth problem with equal steps of t the scheduler
is nearer."""
NO_SIGNAL = """The scheduler's own grid begins at t = 1, where alpha is 0 and x cannot be had from its
noise: it guesses x = 0 (by a division by 1e-8) whatever the network says, and remembers x_T as the first
noise. unfog steps with what the network says and begins to remember afterwards. The last step differs as
above. On Gaussian data with a mean near 0 the guess costs little: the scheduler is nearer from 2 to 20
steps, unfog at 1 and from 29 on."""
STALE = """The scheduler raises the noise after the network was called: it uses what the network said about
the level below. The paper (algorithm 2) calls it on the raised one, as unfog does. For a step of first
order on Gaussian data the old answer happens to be a little nearer."""
LOWER = """The two weights of 1/2 at the start, as above; and the scheduler's last step but one has order 2,
because what keeps it from dividing by infinity in the last step, `lower_order_final`, lowers the order one
by one. With equal steps of t, the last of which are long in l, that is nearer from 17 steps on; unfog is
from 4 to 11."""
SLOPES = """Heun averages slopes: unfog those of x / alpha over sigma / alpha (EDM), the scheduler those of
x over t. On this schedule they are two rules of the same order, and unfog cannot take the first step, from
t = 1, where alpha is 0, with two slopes. On the straight line the scheduler's rule is nearer but at 3
steps."""

PAIRS = (
    Pair("ddpm", "DDPMScheduler", PLAIN, by_products),
    Pair("ddpm", "DDIMScheduler", PLAIN, by_products, stepping={"eta": 1.0}, note="eta 1"),
    Pair("ddpm", ANCESTRAL, LINEAR, by_strides),
    Pair("ddim", "DDIMScheduler", PLAIN, by_products),
    Pair("ddim", "DDIMScheduler", PLAIN, by_products, {"eta": 0.5}, {"eta": 0.5}, note="eta 0.5"),
    Pair("euler", EULER, LINEAR, by_strides),
    Pair("euler", EDM_EULER, UNIT, **ROOT, note="edm"),
    Pair("euler", FLOW_EULER, {}, by_flow, **LINE, note="flow"),
    Pair("euler", EDM_EULER, UNIT, **CHURNED, changes=ASKED, why=STALE, note="churn"),
    Pair("heun", HEUN, LINEAR, heun),
    Pair("heun", FLOW_HEUN, {}, heun, **LINE, changes=OVER_RATIO, why=SLOPES, note="flow"),
    Pair("dpm++1", MULTI, {**FULL, "solver_order": 1}),
    Pair("dpm++2s", SINGLE, {**SECOND, "lower_order_final": True}, halved),
    Pair("dpm++2m", MULTI, FULL | SECOND),
    Pair("dpm++2m", MULTI, FULL | SECOND | KARRAS, note="karras"),
    Pair("dpm++2m", MULTI, FLOWING, by_flow, **LINE, note="flow"),
    Pair("dpm++2m", EDM_MULTI, FULL | UNIT, **ROOT, note="edm"),
    Pair("dpm++3m", MULTI, THIRD, changes=DOUBLED, why=HALF),
    Pair("dpm++3m", MULTI, THIRD | KARRAS, changes=DOUBLED, why=HALF, note="karras"),
    Pair("dpm++3m", MULTI, THIRD | EQUAL, changes=DOUBLED, why=HALF, note="log-snr"),
    Pair("learned", MULTI, THIRD, changes=DOUBLED, why=HALF, note="nothing learned"),
    Pair("unipc", UNIPC, SECOND, changes=SOLVED, why=ONES),
    Pair("unipc", UNIPC, SECOND | EQUAL, changes=SOLVED, why=ONES, note="log-snr"),
    Pair(
        "unipc",
        UNIPC,
        {**V, "solver_order": 3},
        own={"reach": 3},
        changes=SOLVED_3,
        why=LOWER,
        note="reach 3",
    ),
    Pair("deis", DEIS, {**FULL, "solver_order": 3}, changes=RHO, why=RHO_WHY),
    Pair("ipndm", IPNDM, {}, quarter_turn(0.99, 0.01), **TURN),
    Pair(
        "ipndm", IPNDM, {}, quarter_turn(0.99, 0), **TURN, changes=DDIM_LAST, why=DDIM_END, note="to sigma 0"
    ),
    Pair("ipndm", IPNDM, {}, quarter_turn(1, 0), **TURN, changes=HEEDED, why=NO_SIGNAL, note="from alpha 0"),
    Pair("sde-dpm++2m", MULTI, {**FULL, "algorithm_type": "sde-dpmsolver++"}),
    Pair("euler-maruyama", "ScoreSdeVeScheduler", {"sigma_max": 80.0}, geometric, **ROOT),
)

UNPAIRED = {
    "rk4": "diffusers has no Runge-Kutta of fourth order but the pseudo one that PNDM starts with",
    "adaptive": "diffusers has no scheduler that chooses its own steps",
    "restart": "diffusers has no such scheduler",
    "langevin": "diffusers has no annealed Langevin dynamics",
    "pc": "ScoreSdeVeScheduler corrects by norms over the batch; here no example depends on its neighbours",
}
"""Samplers that diffusers has no scheduler for, each with the reason."""
