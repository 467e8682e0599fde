"""The fixed words of the report, in English and Chinese. A test holds the two tables to the same keys."""

from __future__ import annotations

import re

from unfog.errors import OutputError

_EN = {
    "lang": "en",
    "generated": "AI-generated: nobody wrote, drew or photographed the samples on this page.",
    "warnings": "Please note",
    "setup": "In words",
    "settings": "All settings",
    "network": "A network of {n} weights",
    "network_unknown": "A network",
    "network_kind": " ({kind})",
    "learned": " learned from {n} pictures",
    "learned_unknown": " was trained",
    "time": " for {time}",
    "device": " on {device}",
    "stop": ".",
    "steps": "It took {steps} steps of {batch} pictures; each picture was seen about {epochs} times.",
    "steps_only": "It took {steps} steps of {batch} pictures.",
    "drawn": "The samples were drawn with {sampler} in {steps} steps{guidance}{time}.",
    "guided": ", with guidance {guidance}",
    "per_picture": ", {time} per picture",
    "conditional": "{n} classes can be asked for.",
    "data": "The data",
    "data_intro": "What the network was shown: {count} pictures of {high} × {wide} pixels, {colour}.",
    "grey": "grey",
    "colour": "colour",
    "source": "Source",
    "licence": "Licence",
    "digest": "SHA-256 of the pixels",
    "split": "Learned from / held out",
    "classes": "Classes",
    "class_counts": "Pictures per class",
    "unlabelled": "without a class: {n}",
    "mean_std": "Mean ± standard deviation",
    "mean_std_rgb": "Mean ± standard deviation (red, green, blue)",
    "range": "Range",
    "saturated": "Saturated values",
    "saturated_value": "{black} black, {white} white",
    "measured": "Measured on",
    "pictures_n": "{n} pictures",
    "skipped": "{n} inputs were left out",
    "more": "and {n} more",
    "histogram": "Brightness of data and samples",
    "value": "pixel value",
    "share": "share of pixels",
    "data_series": "data",
    "samples_series": "samples",
    "forward": "Forward: how a picture is lost in noise",
    "forward_intro": "The same picture at growing times t. What is left of it is α, what noise was "
    "added is σ; "
    "their ratio, in decibels, is the signal-to-noise ratio. Training asks the network to guess the "
    "picture "
    "on the left from any other.",
    "schedule": "Schedule: {name}.",
    "backward": "Backward: how a picture is found",
    "backward_intro": "Sampling starts from pure noise and removes a little at every step. Above is "
    "the picture as "
    "it is at that moment, below what the network believes it will become.",
    "backward_intro_single": "Sampling starts from pure noise and removes a little at every step.",
    "noisy": "now",
    "clean": "guess",
    "film": "The same, moving",
    "samples": "Samples",
    "samples_intro": "Not chosen: the first that were drawn.",
    "samples_by_class": "Not chosen: the first that were drawn of each class.",
    "curves": "Learning",
    "curves_intro": "Lower is better. A validation loss that rises while the training loss falls is a "
    "sign that the "
    "network begins to learn the pictures by heart.",
    "loss": "loss",
    "step": "step",
    "train_raw": "each step",
    "train": "training",
    "validation": "held out",
    "learning_rate": "learning rate",
    "by_level": "loss by noise level",
    "time_axis": "t (0 picture, 1 noise)",
    "metrics": "How good it is",
    "metrics_intro": "Every figure stands beside the same figure for real pictures that the network "
    "never saw. That "
    "is the floor: no model can be expected to pass it.",
    "metric": "Measure",
    "sampled": "Samples",
    "floor": "Real, held out",
    "n": "n",
    "lower": "lower is better",
    "higher": "higher is better",
    "near": "best near the real figure",
    "space": "Measured in: {space}.",
    "neighbours": "Did it copy?",
    "neighbours_intro": "Samples, and beneath each the training picture most like it, with the "
    "distance between them. "
    "A pair that looks the same is a copy; a pair that shares only the subject is not.",
    "memorised_share": "{share} of {n} samples count as copies",
    "memorised_share_plain": "{share} of the samples count as copies",
    "memorised_floor": "; of real held-out pictures, {share}",
    "made": "What made it",
    "command": "To make it again",
    "model": "PictureModel (SHA-256)",
    "software": "Software",
    "recipe": "Recipe",
    "seed": "Seed",
    "hour": "{n} hours",
    "hour_one": "1 hour",
    "minute": "{n} minutes",
    "minute_one": "1 minute",
    "second": "{n} seconds",
    "second_one": "1 second",
    "millisecond": "{n} ms",
    "join": " ",
    "no_class": "no class",
}

_ZH = {
    "lang": "zh-CN",
    "generated": "本页样本由人工智能生成合成，不是任何人书写、绘制或拍摄的作品。",
    "warnings": "请注意",
    "setup": "简单地说",
    "settings": "全部设置",
    "network": "一个有 {n} 个参数的网络",
    "network_unknown": "一个网络",
    "network_kind": "（{kind}）",
    "learned": "，从 {n} 张图片中学习",
    "learned_unknown": "完成了训练",
    "time": "，用时 {time}",
    "device": "，运行在 {device} 上",
    "stop": "。",
    "steps": "共训练 {steps} 步，每步 {batch} 张图片；平均每张图片看过约 {epochs} 遍。",
    "steps_only": "共训练 {steps} 步，每步 {batch} 张图片。",
    "drawn": "样本用 {sampler} 采样，走 {steps} 步{guidance}{time}。",
    "guided": "，引导强度 {guidance}",
    "per_picture": "，每张用时 {time}",
    "conditional": "可以指定 {n} 个类别。",
    "data": "数据",
    "data_intro": "网络看到的是 {count} 张 {high} × {wide} 像素的{colour}图片。",
    "grey": "灰度",
    "colour": "彩色",
    "source": "来源",
    "licence": "许可",
    "digest": "像素的 SHA-256",
    "split": "训练 / 留出",
    "classes": "类别",
    "class_counts": "每类图片数",
    "unlabelled": "无类别：{n}",
    "mean_std": "均值 ± 标准差",
    "mean_std_rgb": "均值 ± 标准差（红、绿、蓝）",
    "range": "取值范围",
    "saturated": "饱和的像素值",
    "saturated_value": "全黑 {black}，全白 {white}",
    "measured": "统计所用",
    "pictures_n": "{n} 张图片",
    "skipped": "有 {n} 个输入未被采用",
    "more": "另有 {n} 个",
    "histogram": "数据与样本的亮度分布",
    "value": "像素值",
    "share": "像素占比",
    "data_series": "数据",
    "samples_series": "样本",
    "forward": "前向过程：图片怎样淹没在噪声里",
    "forward_intro": "同一张图片，时间 t 逐渐增大。α 是画面还剩多少，σ 是加进了多少噪声，"
    "两者之比（以分贝计）就是信噪比。训练时，网络要从右边任何一张猜出最左边的原图。",
    "schedule": "噪声调度：{name}。",
    "backward": "反向过程：图片怎样从噪声里浮现",
    "backward_intro": "采样从纯噪声出发，每一步去掉一点噪声。上面一行是当时的画面，"
    "下面一行是网络此刻认为它最终的样子。",
    "backward_intro_single": "采样从纯噪声出发，每一步去掉一点噪声。",
    "noisy": "当前",
    "clean": "猜测",
    "film": "同一过程的动画",
    "samples": "样本",
    "samples_intro": "未经挑选，按生成顺序展示。",
    "samples_by_class": "未经挑选，每一类按生成顺序展示。",
    "curves": "学习过程",
    "curves_intro": "损失越低越好。如果训练损失还在下降，留出数据的损失却开始上升，说明网络正在死记硬背。",
    "loss": "损失",
    "step": "步数",
    "train_raw": "单步",
    "train": "训练",
    "validation": "留出",
    "learning_rate": "学习率",
    "by_level": "各噪声水平的损失",
    "time_axis": "t（0 为图片，1 为噪声）",
    "metrics": "效果如何",
    "metrics_intro": "每个数字旁边都是真实图片的同一指标，这些图片网络从未见过。它就是参照线，"
    "任何模型都不该指望超过它。",
    "metric": "指标",
    "sampled": "样本",
    "floor": "真实留出图片",
    "n": "数量",
    "lower": "越低越好",
    "higher": "越高越好",
    "near": "越接近真实图片越好",
    "space": "特征空间：{space}。",
    "neighbours": "有没有照抄？",
    "neighbours_intro": "上面是样本，下面是训练集中与它最像的图片，并注明两者的距离。"
    "看上去一模一样的是照抄；只是内容相同的不算。",
    "memorised_share": "{n} 个样本中有 {share} 算作照抄",
    "memorised_share_plain": "样本中有 {share} 算作照抄",
    "memorised_floor": "；真实留出图片的这一比例为 {share}",
    "made": "它是怎样做出来的",
    "command": "重现命令",
    "model": "模型（SHA-256）",
    "software": "软件",
    "recipe": "配方",
    "seed": "随机种子",
    "hour": "{n} 小时",
    "hour_one": "1 小时",
    "minute": "{n} 分钟",
    "minute_one": "1 分钟",
    "second": "{n} 秒",
    "second_one": "1 秒",
    "millisecond": "{n} 毫秒",
    "join": "",
    "no_class": "无类别",
}

WORDS = {"en": _EN, "zh": _ZH}

# name -> (name in words, meaning, which way is better, whether it is a share)
_METRICS_EN = {
    "frechet": ("Fréchet distance", "How far the samples as a whole are from real pictures.", "lower", False),
    "frechet_limit": ("Fréchet distance, n → ∞", "The same without what few samples add.", "lower", False),
    "kernel": (
        "Kernel distance",
        "The same question with a yardstick that depends less on n.",
        "lower",
        False,
    ),
    "precision": ("Precision", "Share of samples that look like some real picture.", "higher", True),
    "recall": ("Recall", "Share of real pictures that the samples come near to.", "higher", True),
    "density": ("Density", "How crowded with real pictures the places of the samples are.", "near", False),
    "coverage": ("Coverage", "Share of real pictures that have a sample nearby.", "higher", True),
    "agreement": ("Label agreement", "Share that a classifier takes for what was asked.", "higher", True),
    "confidence": ("Confidence", "How sure a classifier is of what it sees.", "higher", True),
    "balance": ("Class balance", "1 if all classes are equally frequent, 0 if there is one.", "near", False),
    "copied": ("Copies", "Share of samples that are nearly a training picture.", "lower", True),
    "identical": ("Identical", "Share of samples that equal a training picture.", "lower", True),
    "authentic": ("Authentic", "Share that lies apart from every training picture.", "near", True),
    "dark": ("At the dark end", "Share of values at the darkest level.", "near", True),
    "bright": ("At the bright end", "Share of values at the brightest level.", "near", True),
}
_METRICS_ZH = {
    "frechet": ("Fréchet 距离", "样本整体与真实图片相差多远。", "lower", False),
    "frechet_limit": ("Fréchet 距离（n → ∞）", "同上，扣除了样本数量有限带来的部分。", "lower", False),
    "kernel": ("核距离", "换一把尺子回答同一个问题，受样本数量影响更小。", "lower", False),
    "precision": ("精确率", "看上去像真实图片的样本所占比例。", "higher", True),
    "recall": ("召回率", "真实图片中，样本能够接近的比例。", "higher", True),
    "density": ("密度", "样本所在之处，真实图片有多密集。", "near", False),
    "coverage": ("覆盖率", "附近有样本的真实图片所占比例。", "higher", True),
    "agreement": ("标签一致率", "分类器认为与要求相符的比例。", "higher", True),
    "confidence": ("置信度", "分类器对所见内容有多大把握。", "higher", True),
    "balance": ("类别均衡度", "各类出现次数相同为 1，只有一类为 0。", "near", False),
    "copied": ("照抄率", "几乎与某张训练图片相同的样本所占比例。", "lower", True),
    "identical": ("完全相同率", "与某张训练图片完全相同的样本所占比例。", "lower", True),
    "authentic": ("原创率", "与所有训练图片都拉开距离的样本所占比例。", "near", True),
    "dark": ("最暗值占比", "处在最暗一级的像素值所占比例。", "near", True),
    "bright": ("最亮值占比", "处在最亮一级的像素值所占比例。", "near", True),
}
METRICS = {"en": _METRICS_EN, "zh": _METRICS_ZH}


def words(lang: str) -> dict[str, str]:
    """The table of a language.

    Raises:
        OutputError: a language other than en and zh.
    """
    if lang not in WORDS:
        raise OutputError(
            f"Reports are written in {' and '.join(WORDS)}, not {lang!r}. Use --lang en or --lang zh."
        )
    return WORDS[lang]


def tight(text: str) -> str:
    """Without spaces between Chinese characters: only numbers and Latin letters stand apart from them."""
    return re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "", text)


def whole(value: int) -> str:
    """4500 -> "4,500"."""
    return f"{value:,}"


def large(value: int, lang: str) -> str:
    """480000 -> "0.48 million", in Chinese "48 万"."""
    if lang == "zh" and value >= 10_000:
        return f"{value / 1e8:.3g} 亿" if value >= 100_000_000 else f"{_digits(value / 1e4)} 万"
    if lang == "en" and value >= 100_000:
        return f"{value / 1e9:.3g} billion" if value >= 1e9 else f"{_digits(value / 1e6)} million"
    return whole(value)


def number(value: float) -> str:
    """A number as people write it: 12k, 0.003, 2.5, 1e-5."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:.3g}M"
    if size >= 1e4:
        return f"{value / 1e3:.3g}k"
    if size < 1e-4:
        return f"{value:.0e}".replace("e-0", "e-")
    return f"{value:.4g}"


def percent(share: float) -> str:
    """0.1234 -> "12.3 %"."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return f"{100 * share:.3g} %" if share < 0.9995 or share == 1 else f"{100 * share:.2f} %"


def duration(seconds: float, lang: str) -> str:
    """245 -> "4 minutes 5 seconds"; hours have no seconds, long times no more than two units."""
    table = words(lang)
    if seconds < 1:
        return table["millisecond"].format(n=f"{1000 * seconds:.2g}")
    rest = round(seconds)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [("hour", hours), ("minute", minutes), ("second", 0 if hours or minutes >= 10 else rest)]
    named = [table[f"{unit}_one" if n == 1 else unit].format(n=whole(n)) for unit, n in parts if n]
    return (table["join"] + " ").join(named).replace("  ", " ")


def _digits(value: float) -> str:
    """Three digits, but whole parts in full: 48, 0.48, 1,234."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 1 else f"{value:.2g}"
