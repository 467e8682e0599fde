"""The words of the page of ``unfog explain``, in English and Chinese, under the same keys (a test checks)."""

from __future__ import annotations

_EN = {
    "lang": "en",
    "join": " ",
    "title_model": "{title}: how a picture is lost and found",
    "title_schedule": "The schedule {title}: how a picture is lost and found",
    "lead": "A diffusion model learns one thing: to guess the clean picture behind a noisy one. Everything "
    "else follows from that guess by arithmetic, and this page shows it with real numbers.",
    "who_model": "The guesses come from the network of {title}: {weights} weights, schedule {schedule}, "
    "trained to output the target {target}.",
    "who_schedule": "There is no network here. The data is taken to be {known} pictures of {source} and "
    "nothing else; then the best possible guess can be computed exactly.",
    "origin_drawn": "The pictures that drown below were drawn by the model itself, because its folder "
    "holds no data.",
    "origin_held_out": "The pictures that drown below are from {source}; the model never learned from them.",
    "origin_known": "The pictures that drown below are real, from {source}.",
    "other_data": "These are not exactly the pictures it was trained on, so some of them it may have "
    "learned from.",
    "generated": "The pictures that the model draws on this page are AI-generated: nobody wrote, drew or "
    "photographed them.",
    "forward": "1. Forward: a picture drowns in noise",
    "forward_text": "As t goes from 0 to 1, noise ε is mixed in: α says how much of the picture is left, σ "
    "how much noise there is. Their ratio is the signal-to-noise ratio (SNR): at 0 dB both are equally "
    "strong. All pictures hold the same noise and are shown at the same contrast.",
    "curves_text": "The two scales over time, and their ratio as a clock, l = log(α/σ), which only falls. "
    "Every schedule travels the same road, from picture to noise; only its pace is its own.",
    "scales": "α and σ",
    "clock": "l = log(α/σ)",
    "time": "t (0 picture, 1 noise)",
    "readings": "2. One process, four readings",
    "readings_text": "Four families of papers tell of this drowning in different words. Here the same "
    "picture and the same noise are put through all four, up to the point where the SNR is {decibels} dB. "
    "On the left is x as each has it, on the right x divided by √(α² + σ²): four times the same picture.",
    "ddpm": "DDPM: a chain",
    "ddpm_text": "Many small steps, each a little noise. Of {steps} steps, with β from {first} to {last}, "
    "the first {step} were taken one by one; their noise adds up to a single ε of standard deviation "
    "{std}.",
    "sgm": "SGM: a ladder",
    "sgm_text": "The picture keeps its size, and the noise grows from rung to rung. The network learns the "
    "score on each: the direction in which the picture becomes more likely.",
    "sde": "SDE: continuous time",
    "sde_text": "Infinitely many steps: a drift towards 0 and a constant shaking. At this moment f = "
    "{drift} and g = {diffusion}.",
    "flow": "Flow: a straight line",
    "flow_text": "From picture to noise at constant speed, ε − x. The network learns that speed, the "
    "velocity.",
    "same": "the chain itself",
    "differs": "differs from the chain's by at most {value}",
    "ladder": "The ladder of SGM: on each rung twice the noise of the one before, with the same ε. The "
    "rung in the middle is where the four readings meet.",
    "paths": "The SDE at work on the brightest pixel, in {moves} small moves (Euler–Maruyama). At t = {t}, "
    "{walkers} such paths have mean {mean} and standard deviation {std}; the formula says {true_mean} and "
    "{true_std}.",
    "pixel": "value of the pixel",
    "path": "a path",
    "path_mean": "α x",
    "path_band": "α x ± 2σ",
    "estimate": "One estimate, four words for it",
    "estimate_text": "From the noisy picture the denoiser made one guess x̂ of the clean one. Noise, score "
    "and velocity follow from it. The table shows how large each is (root mean square); bold is what that "
    "reading asks its network for. Going back from the bold one gives x̂ again, to within {recovered}.",
    "reading": "Reading",
    "noise": "noise",
    "score": "score",
    "clean": "clean",
    "velocity": "velocity",
    "quantities": "The four as pictures, for the flow; grey is 0. In the score a bright place says: more "
    "here.",
    "backward": "3. Backward: noise clears up",
    "backward_text": "Sampling starts from nothing but noise. At every step the denoiser guesses the clean "
    "picture (below), and the sampler exchanges a little noise for it (above). Early guesses are blurred, "
    "since x̂ is the mean of all pictures that could still come out.",
    "backward_how": "Drawn with {sampler} in {steps} steps{guidance}. The formula is the simplest such "
    "step, DDIM.",
    "guided": ", with guidance {guidance}",
    "backward_asked": "The model was asked for {labels}.",
    "and": " and ",
    "toy": "4. In the plane: where the score points",
    "toy_text": "For points in the plane that form two half moons, everything is known exactly. The arrows "
    "show the score, σ∇ log p, over noisy points; the stronger, the longer. In much noise they point to "
    "the middle of everything; in little, to the nearest moon.",
    "noise_level": "σ/α = {level}",
    "field": "Score at noise level {level}",
    "toy_paths": "Following the score from noise (rings) to data (green dots). Without chance, along the "
    "probability flow, paths are smooth and each start has one end. With fresh noise at every step, the "
    "same starts tremble their way to other ends, and chance decides late.",
    "toy_flow": "Deterministic: the probability flow, {steps} steps of Heun",
    "toy_wander": "Stochastic: ancestral sampling, {steps} steps of DDPM",
    "losses": "5. How wrong the guess is at each noise level",
    "losses_text": "The mean squared error of x̂, over {count} pictures; 1 is the variance of a pixel. In "
    "little noise the picture is all there and the error is small; in much noise the best guess is the "
    "mean picture.",
    "losses_constant": "“One answer for all” is the error of always guessing the mean picture. “Pixel by "
    "pixel” is 1 / (1 + α²/σ²), that of the best line through each noisy pixel for itself. A denoiser is "
    "worth something where it lies below both.",
    "losses_exact": "No network can beat the exact denoiser on its own {known} pictures: in moderate noise "
    "it always finds the right one. On pictures of the same kind that it does not hold it stays far "
    "behind even in little noise, for it knows nothing but those by heart. A network that has learned "
    "something lies between the two.",
    "losses_drawn": "The pictures are the model's own, which flatters it; with {option}, held-out real "
    "ones are asked about instead. Nobody knows how low the best possible error is for real pictures.",
    "losses_memory": "“Pure memory” is an exact denoiser that knows {known} of the training pictures by "
    "heart. Where the network lies below it, it has understood more than those. Nobody knows how low the "
    "best possible error is for real pictures.",
    "decibels": "noise, 20 log₁₀(σ/α) in dB",
    "error": "mean squared error",
    "line_network": "network",
    "line_exact": "exact denoiser",
    "line_unseen": "the same, on unseen pictures",
    "line_memory": "pure memory",
    "line_pixelwise": "pixel by pixel",
    "line_constant": "one answer for all",
    "samplers": "6. What each sampler makes of few steps",
    "samplers_text": "All samplers start from the same noise. What costs time is calls of the denoiser, "
    "counted here. The distance is the root mean square difference from a fine walk ({reference}, {steps} "
    "steps), in standard deviations of the data; 0 means the same picture. Below it stands how far the "
    "middle one of 200 points on their way to the moons of part 4 misses its end.",
    "samplers_random": "Random ones add fresh noise on the way and so draw other pictures: their distance "
    "is no error.",
    "sampler": "Sampler",
    "steps_n": "{n} steps",
    "calls": "{n} calls",
    "refused": "no picture with so many steps",
    "comma": ", ",
    "distance": "distance {value}",
    "order": "order {n}",
    "adaptive": "own steps, to a tolerance",
    "random": "random",
    "same_as": "here the same as {name}",
    "reference": "Fine reference",
    "made": "What made this page",
    "made_how": "Made with unfog {version}.",
    "command": "To make it again",
    "as_is": "x",
    "scaled": "x / √(α² + σ²)",
    "toy_ends": "Both find the data as it is: of {walks} such walks, {share_flow} of the flow and "
    "{share_wander} of the chain end in the upper moon, where {share_data} of the data lies.",
    "reference_how": "{reference}, {steps} steps",
    "nav_forward": "Forward",
    "nav_readings": "Four readings",
    "nav_backward": "Backward",
    "nav_toy": "In the plane",
    "nav_losses": "Errors",
    "nav_samplers": "Samplers",
    "equal": "equal to the chain's in every digit",
    "distance_plane": "moons {value}",
    "samplers_memory": "Pure memory is an easy task: once a picture is recognised, which happens early, a "
    "sampler runs straight to it, and at worst to the wrong one. The moons tell more.",
}

_ZH = {
    "lang": "zh-CN",
    "join": "",
    "title_model": "{title}：图片怎样消失，又怎样回来",
    "title_schedule": "噪声调度 {title}：图片怎样消失，又怎样回来",
    "lead": "扩散模型只学一件事：看着一张带噪声的图片，猜出它原来的样子。其余一切都能由这个猜测推算出来，"
    "本页用真实的计算结果逐一展示。",
    "who_model": "这里的猜测来自 {title} 的网络：{weights} 个参数，噪声调度 {schedule}，预测目标 {target}。",
    "who_schedule": "这里没有网络。假定全部数据就是 {source} 中的 {known} 张图片，"
    "那么最优的猜测可以精确算出来。",
    "origin_drawn": "模型文件夹里不含数据，所以下面用来加噪的图片是模型自己画的。",
    "origin_held_out": "下面用来加噪的图片来自 {source}，模型从未学过它们。",
    "origin_known": "下面用来加噪的图片是真实的，来自 {source}。",
    "other_data": "但这份数据与训练所用的并不完全相同，其中个别图片它可能学过。",
    "generated": "本页中由模型画出的图片均为人工智能生成合成，不是任何人书写、绘制或拍摄的作品。",
    "forward": "1. 前向：图片淹没在噪声里",
    "forward_text": "t 从 0 走到 1，噪声 ε 越掺越多：α 是画面还剩多少，σ 是噪声有多少。"
    "两者之比就是信噪比（SNR），0 dB 时势均力敌。各图掺入的是同一份噪声，并以相同的对比度显示。",
    "curves_text": "前一张图是两个系数随时间的变化，后一张图是由它们的比值得到的时钟 l = log(α/σ)，"
    "它只降不升。所有噪声调度走的都是从图片到噪声的同一条路，只是快慢不同。",
    "scales": "α 与 σ",
    "clock": "l = log(α/σ)",
    "time": "t（0 为图片，1 为噪声）",
    "readings": "2. 同一个过程，四种读法",
    "readings_text": "四类论文用不同的语言讲述同一个加噪过程。这里把同一张图片和同一份噪声分别交给它们，"
    "直到信噪比为 {decibels} dB。每格左边是该读法下的 x，右边是 x 除以 √(α² + σ²) 的结果：四张图完全一样。",
    "ddpm": "DDPM：一条链",
    "ddpm_text": "许多小步，每步加一点噪声。全程 {steps} 步，β 从 {first} 增到 {last}；这里真的逐步走了前 "
    "{step} 步，累积的噪声合成一个 ε，标准差为 {std}。",
    "sgm": "SGM：一架梯子",
    "sgm_text": "画面大小不变，噪声一级一级地增大。网络在每一级上学习得分，也就是让图片变得更可信的方向。",
    "sde": "SDE：连续时间",
    "sde_text": "步数趋于无穷：一边向 0 漂移，一边不停地抖动。此刻 f = {drift}，g = {diffusion}。",
    "flow": "流：一条直线",
    "flow_text": "从图片匀速走向噪声，速度为 ε − x。网络学习的就是这个速度。",
    "same": "即链本身",
    "differs": "与链相差不超过 {value}",
    "ladder": "SGM 的梯子：每一级的噪声是前一级的两倍，ε 始终相同。正中间那一级就是四种读法相会之处。",
    "paths": "SDE 作用在最亮的那个像素上，分 {moves} 小步模拟（Euler–Maruyama 方法）。t = {t} 时，"
    "{walkers} 条路径的均值为 {mean}、标准差为 {std}；公式给出 {true_mean} 和 {true_std}。",
    "pixel": "像素的取值",
    "path": "一条路径",
    "path_mean": "α x",
    "path_band": "α x ± 2σ",
    "estimate": "一个估计，四种说法",
    "estimate_text": "看着带噪的图片，去噪器只作一次猜测，得到干净图片的估计 x̂；噪声、"
    "得分和速度都由它推出。表中是各个量的大小（均方根），粗体是该读法要求网络输出的量。从粗体的量倒推，"
    "又得到同一个 x̂，误差不超过 {recovered}。",
    "reading": "读法",
    "noise": "噪声",
    "score": "得分",
    "clean": "干净图片",
    "velocity": "速度",
    "quantities": "把四个量画成图片（以流为例），灰色为 0。得分图上亮的地方表示：这里应该更亮。",
    "backward": "3. 反向：画面从噪声中浮现",
    "backward_text": "采样从纯噪声出发。每一步，去噪器先猜出干净的图片（下排），"
    "采样器再用它换掉一点噪声（上排）。开头的猜测很模糊，因为 x̂ 是此刻所有可能结果的平均。",
    "backward_how": "用 {sampler} 采样，共 {steps} 步{guidance}。公式写的是其中最简单的一种步进：DDIM。",
    "guided": "，引导强度 {guidance}",
    "backward_asked": "要求模型画的类别依次是：{labels}。",
    "and": "、",
    "toy": "4. 在平面上看：得分指向哪里",
    "toy_text": "平面上的点排成两弯月牙，一切都能精确算出。箭头表示得分 σ∇ log p，越强越长，"
    "底下是加了噪声的点。噪声大时，箭头都指向全体的中心；噪声小时，指向最近的月牙。",
    "noise_level": "σ/α = {level}",
    "field": "噪声水平 {level} 处的得分",
    "toy_paths": "沿着得分从噪声（圆圈）走到数据（绿点）。不带随机性时，沿概率流走，路径平滑，"
    "每个起点只有一个终点。每步都加入新噪声时，同样的起点一路抖动，走到别处，去向要到后来才定。",
    "toy_flow": "确定性：概率流，Heun 方法 {steps} 步",
    "toy_wander": "随机性：祖先采样，DDPM {steps} 步",
    "losses": "5. 每个噪声水平上猜得有多准",
    "losses_text": "x̂ 的均方误差，取 {count} 张图片的平均；1 相当于像素本身的方差。噪声小时画面完好，"
    "误差很小；噪声大时，最好的猜测只能是平均图片。",
    "losses_constant": "“一律答均值”指永远只猜平均图片；“逐像素”即 1 / (1 + α²/σ²)，指只看单个带噪像素、"
    "用一条最佳直线去猜。误差低于这两条线，去噪器才算有本事。",
    "losses_exact": "对于精确去噪器记住的 {known} 张图片，任何网络都不可能胜过它：噪声不太大时，"
    "它总能认出是哪一张。换成没见过的同类图片，噪声再小它也远远落后，因为它只会死记硬背。"
    "真正学到东西的网络，应当落在两条线之间。",
    "losses_drawn": "这些图片是模型自己画的，结果会偏乐观；用 {option} 给出真实数据，"
    "就会改用留出的真实图片。对真实图片来说，误差最低能到多少，没有人知道。",
    "losses_memory": "“纯记忆”是一个背下 {known} 张训练图片的精确去噪器。网络低于这条线，"
    "说明它领会的不止这些图片。对真实图片来说，误差最低能到多少，没有人知道。",
    "decibels": "噪声，20 log₁₀(σ/α)，单位 dB",
    "error": "均方误差",
    "line_network": "网络",
    "line_exact": "精确去噪器",
    "line_unseen": "同上，没见过的图片",
    "line_memory": "纯记忆",
    "line_pixelwise": "逐像素",
    "line_constant": "一律答均值",
    "samplers": "6. 步数很少时，各个采样器画成什么样",
    "samplers_text": "所有采样器都从同一份噪声出发。真正花时间的是去噪器的调用，次数是实际数出来的。"
    "距离指与精细结果（{reference}，{steps} 步）之差的均方根，以数据的标准差为单位，0 "
    "表示画出的图完全相同。再下面一行取自第 4 部分的月牙：200 个点与各自终点偏差的中位数。",
    "samplers_random": "标有“随机”的采样器途中会加入新噪声，画出的是另一些图片，所以它们的距离不代表误差。",
    "sampler": "采样器",
    "steps_n": "{n} 步",
    "calls": "调用 {n} 次",
    "refused": "这么多步画不出图",
    "comma": "，",
    "distance": "距离 {value}",
    "order": "{n} 阶",
    "adaptive": "自定步长，按容差",
    "random": "随机",
    "same_as": "在此与 {name} 相同",
    "reference": "精细结果",
    "made": "本页的来历",
    "made_how": "由 unfog {version} 生成。",
    "command": "重现命令",
    "as_is": "x",
    "scaled": "x / √(α² + σ²)",
    "toy_ends": "两种走法都能还原数据的分布：各走 {walks} 次，概率流有 {share_flow}、祖先采样有 "
    "{share_wander} 落在上面的月牙，而数据本身有 {share_data} 在那里。",
    "reference_how": "{reference}，{steps} 步",
    "nav_forward": "前向",
    "nav_readings": "四种读法",
    "nav_backward": "反向",
    "nav_toy": "平面上看",
    "nav_losses": "误差",
    "nav_samplers": "采样器",
    "equal": "与链逐位相同",
    "distance_plane": "月牙 {value}",
    "samplers_memory": "对纯记忆来说这道题太容易：一旦认出是哪一张（很早就会认出），采样器就径直走到那里，"
    "最多认错一张。月牙那一行更能看出差别。",
}

WORDS = {"en": _EN, "zh": _ZH}
