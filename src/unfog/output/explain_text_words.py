"""The words of the page of ``unfog explain`` for a model of text, in English and Chinese (a test checks)."""

from __future__ import annotations

_EN = {
    "lang": "en",
    "join": " ",
    "comma": ", ",
    "title": "{title}: how a text is forgotten and written",
    "lead": "A diffusion model of text learns one thing: to guess the tokens that were lost, from those "
    "that are left. Everything else follows from that guess, and this page shows it with real numbers.",
    "who": "The guesses come from the network of {title}: {weights} weights, {vocabulary} different "
    "tokens ({tokens}), {context} of them at once.",
    "tokens_character": "characters",
    "tokens_byte": "bytes",
    "tokens_bpe": "pieces of words",
    "process_masked": "It learned to name tokens that are hidden, by the schedule {keep}.",
    "process_uniform": "It learned to mend tokens that were exchanged for others, by the schedule {keep}.",
    "blocks": "It writes in blocks of {block} tokens, each behind the finished ones and blind to what "
    "follows.",
    "origin_drawn": "The text that is forgotten below was written by the model itself, because its "
    "folder holds no data.",
    "origin_held_out": "The text that is forgotten below is from {source}; the model never learned from it.",
    "other_data": "These are not exactly the texts it was trained on, so some of them it may have "
    "learned from.",
    "asked": "The class {label} is asked for throughout.",
    "generated": "The texts that the model writes on this page are AI-generated: nobody wrote them.",
    "nav_forward": "Forgetting",
    "nav_guesses": "Guessing",
    "nav_orders": "Writing",
    "nav_steps": "Few steps, many steps",
    "nav_losses": "Surprise",
    "chance": "with probability",
    "any": "any token",
    "forward": "1. Forward: a text is forgotten",
    "forward_masked_text": "As t goes from 0 to 1, each token is hidden (a grey box) at a time of its "
    "own, whatever the others do. α(t) is the share that is still there. What can be seen is always "
    "true: nothing is falsified, only less and less is known. ∎ is the end of the text.",
    "forward_uniform_text": "As t goes from 0 to 1, each token is exchanged for any other (coloured) at "
    "a time of its own, whatever the others do. α(t) is the share that is still itself. Nothing tells "
    "the model which ones are wrong. ∎ is the end of the text.",
    "given": "What is to be said in short, and stays visible: {given}",
    "kept": "t = {t}\n{share}",
    "there": "t = {t}\n{share}",
    "curves_text": "The share that is kept, over time. Every schedule travels the same road, from text "
    "to nothing; only its pace is its own. Even steps of t then write many tokens at once where the "
    "curve is steep, and few where it is flat.",
    "own_keep": "{name} (this model)",
    "time": "t (0 text, 1 nothing left)",
    "share": "α, the share of tokens that are kept",
    "guesses": "2. The guess: what the neighbours say",
    "guesses_masked_text": "One hidden place (?), and what the model thinks stands there, as more and "
    "more tokens around it can be seen. Of the places tried it is the one that the others say most "
    "about. The true token is bold. With nothing in sight only common tokens are left to guess; each "
    "neighbour narrows it down.",
    "guesses_uniform_text": "One place (?) whose own token says nothing, and what the model thinks "
    "stands there, as more and more tokens around it are the true ones. Grey boxes are any tokens at "
    "all. Of the places tried it is the one that the others say most about. The true token is bold.",
    "seen_none": "Nothing can be seen",
    "seen": "Tokens that can be seen: {n}",
    "true": "the true one has {share}, entropy {entropy} bits",
    "orders": "3. Backward: a text is written, in every order",
    "orders_masked_text": "Writing starts with everything hidden. In each of {steps} steps{each} the "
    "network guesses all hidden places at once, and the sampler decides which of them to keep; the rest "
    "stays hidden. All start from the same seed. On the left are t and the share of tokens that are "
    "written; what was written since the line above is shaded.",
    "orders_uniform_text": "Writing starts from any tokens at all. In each of {steps} steps{each} the "
    "network guesses every place from all others, and every token may change, also for the second time. "
    "On the left are t and α; what changed since the line above is shaded.",
    "each_block": " for each block of {n} tokens, with a t of its own,",
    "shade": "Shade: how probable the model thought the token just before it was written:",
    "token": "token",
    "order_ancestral": "By lot, at the pace of the schedule: the exact reverse of hiding.",
    "order_confidence": "First where the likeliest token is most probable.",
    "order_entropy": "First where the entropy of the guess is smallest.",
    "order_margin": "First where the likeliest token leads the second by most.",
    "order_reading": "From the first place to the last, as we read.",
    "order_threshold": "All at once that are at least 90 % sure, and at least what the pace demands.",
    "order_random": "By lot, the same number in every step.",
    "order_remask": "By lot, and now and then a token is hidden again and written anew.",
    "order_uniform": "Every token is drawn anew in every step.",
    "calls": "network calls: {n}",
    "steps": "4. Few steps and many, from the same seed",
    "steps_masked_text": "Tokens that are written in one step do not see each other: each may be right "
    "by itself and wrong beside the others. With as many steps as tokens, each sees all that came "
    "before. On the right: how often the network was called, and the bits of a token given all others, "
    "as the model itself sees it afterwards; the fewer, the better the text holds together. unfog steps "
    "measures this on many texts, with another judge.",
    "steps_uniform_text": "In one step no token sees what the others change to; in many, mistakes are "
    "mended. On the right: how often the network was called, and the bits of a token given all others, "
    "as the model itself sees it afterwards; the fewer, the better the text holds together. unfog steps "
    "measures this on many texts, with another judge.",
    "steps_one": "1 step",
    "steps_n": "{n} steps",
    "bits": "{bits} bits per token",
    "nothing": "(nothing)",
    "losses": "5. How surprising a lost token is, by how much is lost",
    "losses_masked_text": "Of {count} texts a share of the tokens was hidden, and the model asked for "
    "them: bits are -log₂ of the probability that it gave the true one, on average over what was "
    "hidden. With little hidden the neighbours help; with all hidden only habit does.",
    "losses_uniform_text": "Of {count} texts a share of the tokens was exchanged, and the model asked "
    "for all of them: bits are -log₂ of the probability that it gave the true one, on average over all "
    "places. With little exchanged most tokens can be believed.",
    "losses_area": "The area under the curve of the network, {area} bits, is the bound on what a token "
    "costs to write down with this model (a perplexity of {perplexity}), for any schedule: how fast "
    "tokens are lost drops out.",
    "losses_drawn": "These texts were written by the model itself, which flatters it; with --data it is "
    "asked about held-out ones.",
    "losses_held_out": "These texts were held out. A line below the frequencies of single tokens says "
    "that the model uses what stands around; nobody knows how low it could go.",
    "lost_masked": "share of tokens that are hidden",
    "lost_uniform": "share of tokens that are exchanged",
    "bits_masked": "bits for each hidden token",
    "bits_uniform": "bits for each token",
    "line_network": "network",
    "line_frequency": "frequencies of single tokens",
    "line_even": "all tokens equally likely",
    "made": "What made this page",
    "made_how": "Made by unfog {version}.",
    "command": "To make it again",
}

_ZH = {
    "lang": "zh-CN",
    "join": "",
    "comma": "，",
    "title": "{title}：一段文字怎样被遗忘，又怎样写出来",
    "lead": "文本扩散模型只学一件事：看着剩下的词元，猜出丢失的那些。其余一切都由这个猜测推出，本页用真"
    "实的计算结果逐一展示。",
    "who": "这里的猜测来自 {title} 的网络：{weights} 个参数，{vocabulary} 种词元（{tokens}），一次看 "
    "{context} 个。",
    "tokens_character": "单字",
    "tokens_byte": "字节",
    "tokens_bpe": "词的片段",
    "process_masked": "它学的是说出被遮住的词元，保留调度为 {keep}。",
    "process_uniform": "它学的是改正被换掉的词元，保留调度为 {keep}。",
    "blocks": "它逐块书写，每块 {block} 个词元：看得见写完的各块，看不见后面的。",
    "origin_drawn": "模型文件夹里不含数据，所以下面被遗忘的文字是模型自己写的。",
    "origin_held_out": "下面被遗忘的文字来自 {source}，模型从未学过它。",
    "other_data": "但这份数据与训练所用的并不完全相同，其中个别文字它可能学过。",
    "asked": "全页都要求写类别 {label}。",
    "generated": "本页中由模型写出的文字均为人工智能生成合成，不是任何人的作品。",
    "nav_forward": "遗忘",
    "nav_guesses": "猜测",
    "nav_orders": "书写",
    "nav_steps": "步数多少",
    "nav_losses": "意外程度",
    "chance": "概率",
    "any": "任意词元",
    "forward": "1. 前向：文字被逐渐遗忘",
    "forward_masked_text": "t 从 0 走到 1，每个词元都在各自的时刻被遮住（灰块），互不影响。α(t) 是还看得"
    "见的比例。看得见的永远是真的：没有任何篡改，只是知道的越来越少。∎ 表示文字结束。",
    "forward_uniform_text": "t 从 0 走到 1，每个词元都在各自的时刻被换成任意一个（着色），互不影响。"
    "α(t) 是仍为原样的比例。没有任何标记告诉模型哪些是错的。∎ 表示文字结束。",
    "given": "需要概括的原文，始终可见：{given}",
    "kept": "t = {t}\n{share}",
    "there": "t = {t}\n{share}",
    "curves_text": "保留的比例随时间的变化。所有调度走的都是从文字到一无所有的同一条路，只是快慢不同。t "
    "的步长相等时，曲线陡的地方一步写出许多词元，平的地方只写几个。",
    "own_keep": "{name}（本模型）",
    "time": "t（0 为文字，1 为一无所有）",
    "share": "α，保留的词元比例",
    "guesses": "2. 猜测：邻居透露了什么",
    "guesses_masked_text": "一个被遮住的位置（?），周围看得见的词元越来越多时，模型认为那里是什么。在试"
    "过的位置中，选的是其余文字透露最多的一个。粗体是真实的词元。什么都看不见时，只能猜常见的词元；每多"
    "一个邻居，范围就缩小一些。",
    "guesses_uniform_text": "一个位置（?），它自己的词元不提供任何信息；周围真实的词元越来越多时，模型认"
    "为那里是什么。灰块是随意的词元。在试过的位置中，选的是其余文字透露最多的一个。粗体是真实的词元。",
    "seen_none": "什么都看不见",
    "seen": "看得见的词元：{n} 个",
    "true": "真实的那个占 {share}，熵 {entropy} 比特",
    "orders": "3. 反向：按各种顺序写出文字",
    "orders_masked_text": "书写从全部遮住开始。共 {steps} 步{each}，每一步网络同时猜出所有被遮住的位置，"
    "由采样器决定留下哪些，其余仍旧遮住。各种顺序用的是同一个随机种子。左边是 t 和已写出的比例；比上一行"
    "新写的词元带底色。",
    "orders_uniform_text": "书写从随意的词元开始。共 {steps} 步{each}，每一步网络根据其余位置猜测每个位"
    "置，每个词元都可能改变，也可能再次改变。左边是 t 和 α；比上一行有变化的词元带底色。",
    "each_block": "（每块 {n} 个词元各走这么多步，t 各自计算）",
    "shade": "底色深浅：写下之前，模型认为这个词元的概率有多大：",
    "token": "词元",
    "order_ancestral": "抽签决定，快慢由调度给出：遮盖的精确逆过程。",
    "order_confidence": "最可能的词元概率最大处先写。",
    "order_entropy": "猜测的熵最小处先写。",
    "order_margin": "第一名领先第二名最多处先写。",
    "order_reading": "从第一个位置到最后一个，像阅读一样。",
    "order_threshold": "把握不低于 90 % 的一次全写，并且不少于进度所需。",
    "order_random": "抽签决定，每步个数相同。",
    "order_remask": "抽签决定，偶尔把写好的词元重新遮住再写。",
    "order_uniform": "每一步重新抽取每个词元。",
    "calls": "网络调用 {n} 次",
    "steps": "4. 同一个随机种子，步数少与步数多",
    "steps_masked_text": "同一步写出的词元彼此看不见：单独看都说得通，放在一起未必。步数与词元一样多时，"
    "每个词元都看得见之前写下的一切。右边是网络调用次数，以及写完之后模型自己在已知其余词元时对每个词元"
    "给出的比特数；越少，文字越连贯。unfog steps 用许多文字和另一个评判模型来测量这一点。",
    "steps_uniform_text": "只走一步时，词元看不见别处变成了什么；步数多时，错误可以改正。右边是网络调用"
    "次数，以及写完之后模型自己在已知其余词元时对每个词元给出的比特数；越少，文字越连贯。unfog steps 用"
    "许多文字和另一个评判模型来测量这一点。",
    "steps_one": "1 步",
    "steps_n": "{n} 步",
    "bits": "每词元 {bits} 比特",
    "nothing": "（空）",
    "losses": "5. 丢失的比例不同，词元有多出人意料",
    "losses_masked_text": "在 {count} 段文字中遮住一部分词元，再向模型询问：比特数是它给真实词元的概率"
    "取 -log₂，对被遮住的位置取平均。遮得少时邻居帮得上忙，全部遮住时只能凭习惯。",
    "losses_uniform_text": "在 {count} 段文字中换掉一部分词元，再向模型询问全部词元：比特数是它给真实词"
    "元的概率取 -log₂，对所有位置取平均。换得少时，大多数词元可以相信。",
    "losses_area": "网络曲线下的面积为 {area} 比特，就是用这个模型记下一个词元所需代价的上界（困惑度 "
    "{perplexity}），对任何调度都一样：丢失得快慢并不影响它。",
    "losses_drawn": "这些文字是模型自己写的，结果会偏乐观；用 --data 给出数据，就会改问留出的文字。",
    "losses_held_out": "这些是留出的文字。低于单个词元频率那条线，说明模型用上了周围的文字；最低能到多"
    "少，没有人知道。",
    "lost_masked": "被遮住的词元比例",
    "lost_uniform": "被换掉的词元比例",
    "bits_masked": "每个被遮住的词元的比特数",
    "bits_uniform": "每个词元的比特数",
    "line_network": "网络",
    "line_frequency": "单个词元的频率",
    "line_even": "所有词元等可能",
    "made": "本页的来历",
    "made_how": "由 unfog {version} 生成。",
    "command": "重现命令",
}

WORDS = {"en": _EN, "zh": _ZH}
