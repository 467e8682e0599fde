"""Giving a trained model something new without changing what it can."""

from unfog.adapt.picture_prompt import with_picture_prompts

__all__ = ["with_picture_prompts"]
