"""The mathematics against closed forms, on any machine, on any day: what ``unfog selftest`` runs."""

from unfog.verify.check import Check, Result
from unfog.verify.codecs import (
    codes_are_the_nearest,
    decibels_are_decibels,
    latents_are_normal,
    nats_of_latents,
)
from unfog.verify.densities import bound_is_entropy, density_of_gaussian, density_of_mixture
from unfog.verify.guidance import (
    autoguidance_of_gaussians,
    free_guidance_of_gaussians,
    interval_has_edges,
    loss_guidance_is_bayes,
    projected_guidance_is_orthogonal,
    rescale_keeps_the_contrast,
    thresholds_keep_their_range,
)
from unfog.verify.journeys import encoding_is_the_flow, forward_reaches_kernel, kernels_chain
from unfog.verify.likeness import (
    contrast_is_a_softmax,
    ranks_are_places,
    ways_keep_to_the_sphere,
)
from unfog.verify.naming import (
    given_tokens_stay,
    length_keeps_the_law,
    options_shape_the_law,
    order_keeps_the_law,
    steps_name_their_share,
    surest_come_first,
    tokens_come_back,
)
from unfog.verify.predictions import (
    networks_see_unit_variance,
    targets_are_what_they_say,
    targets_say_the_same,
)
from unfog.verify.samplers import (
    churn_has_its_size,
    corrections_have_their_size,
    deterministic_order,
    first_step_is_known,
    memory_is_found,
    mixture_comes_back,
    options_keep_the_law,
    pure_noise_will_do,
    restart_walks_as_finely,
    stochastic_moments,
    tolerance_is_kept,
    what_was_learned_is_added,
)
from unfog.verify.schedules import (
    clocks_invert,
    diffusions_fit,
    grids_keep_their_ends,
    rates_are_derivatives,
    schedules_are_as_published,
    schedules_drop_out,
)
from unfog.verify.tokens import (
    guidance_of_tokens,
    keeps_invert,
    noise_loses_its_share,
    posteriors_are_bayes,
    token_bound_is_entropy,
)
from unfog.verify.variances import bound_of_chain, variances_of_steps

CHECKS: dict[str, Check] = {
    "clock and time are inverse": clocks_invert,
    "schedules are as published": schedules_are_as_published,
    "rates are derivatives": rates_are_derivatives,
    "grids keep their ends": grids_keep_their_ends,
    "the SDE has these scales": diffusions_fit,
    "the SDE reaches the kernel": forward_reaches_kernel,
    "kernels chain": kernels_chain,
    "targets say the same": targets_say_the_same,
    "networks see unit variance": networks_see_unit_variance,
    "targets are what they say": targets_are_what_they_say,
    "order against the exact flow": deterministic_order,
    "encoding is the flow": encoding_is_the_flow,
    "moments of the reverse chain": stochastic_moments,
    "a mixture comes back": mixture_comes_back,
    "options keep the law": options_keep_the_law,
    "corrections have their size": corrections_have_their_size,
    "what was learned is added": what_was_learned_is_added,
    "churn has its size": churn_has_its_size,
    "tolerances are kept": tolerance_is_kept,
    "restarts walk as finely": restart_walks_as_finely,
    "the first step is known": first_step_is_known,
    "pure noise will do": pure_noise_will_do,
    "memory finds its examples": memory_is_found,
    "schedules drop out": schedules_drop_out,
    "guidance of two Gaussians": free_guidance_of_gaussians,
    "rescale keeps the contrast": rescale_keeps_the_contrast,
    "projection is orthogonal": projected_guidance_is_orthogonal,
    "autoguidance of two Gaussians": autoguidance_of_gaussians,
    "guidance by a loss is Bayes' rule": loss_guidance_is_bayes,
    "an interval has edges": interval_has_edges,
    "thresholds keep their range": thresholds_keep_their_range,
    "density of a Gaussian": density_of_gaussian,
    "density of a mixture": density_of_mixture,
    "the bound is the entropy": bound_is_entropy,
    "variance of the reverse step": variances_of_steps,
    "the bound of the chain": bound_of_chain,
    "nats of latents": nats_of_latents,
    "codes are the nearest": codes_are_the_nearest,
    "latents are normal": latents_are_normal,
    "decibels are decibels": decibels_are_decibels,
    "contrast is a softmax": contrast_is_a_softmax,
    "ways keep to the sphere": ways_keep_to_the_sphere,
    "ranks are places": ranks_are_places,
    "what is kept has a time": keeps_invert,
    "tokens are lost in shares": noise_loses_its_share,
    "posteriors of tokens are Bayes' rule": posteriors_are_bayes,
    "the bound of tokens is the entropy": token_bound_is_entropy,
    "guidance of tokens": guidance_of_tokens,
    "tokens come back": tokens_come_back,
    "order does not change the law": order_keeps_the_law,
    "nor does the length first": length_keeps_the_law,
    "steps name their share": steps_name_their_share,
    "the surest come first": surest_come_first,
    "a given token stays": given_tokens_stay,
    "options shape the law": options_shape_the_law,
}

__all__ = ["CHECKS", "Check", "Result"]
