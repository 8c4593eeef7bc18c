"""Invented Chinese names, the same ones each time they are asked for."""

from collections.abc import Iterator
from random import Random

_SURNAMES = """
    柯 蔺 骆 阮 俞 翟 卞 闵 左 甄 祝 凌 褚 尹 麦 符 晏 瞿 冉 臧 宁 窦 蓝 辛 盛 佟 栾 桑 咸 屈 项 费 岑 鲍 史 郝 安 常 乐 于
    傅 皮 齐 康 伍 元 卜 顾 孟 平 和 穆 萧 姚 邵 湛 汪 祁 聂 鄢 狄 米 贝 明 计 成 戴 谈 茅 庞 纪 舒 司徒 上官 欧阳 慕容"""
_GIVEN_NAMES = """
    予宁 若溪 行之 听雨 望川 云帆 知微 修远 念初 怀瑾 星野 南乔 子衿 牧之 照临 砚书 长安 清音 疏影 归舟
    问渠 景行 思齐 斯年 既明 令仪 静姝 扶摇 晚棠 竹青 松言 沐阳 与归 有仪 昭文 慎独 守拙 清晏 朝雨 暮云
    书瑶 乐只 承安 允执 攸宁 嘉树 鹿鸣 采苓 维桢 思无 淇奥 如松 明夷 观澜 同尘 抱朴 致远 若谷 知止 安澜
    向晚 亦舒 温如 远岫 素商 新荷 临风 拾遗 半夏 青黛 当归 忍冬 白芷 苏叶 连翘 紫菀 秋实 春泥 谷雨 霜序
    砺锋 启明 长风 破浪 登攀 劲草 知夏 渡远 寻梅 佩兰"""
SURNAMES = tuple(_SURNAMES.split())
GIVEN_NAMES = tuple(_GIVEN_NAMES.split())
_FIRST = tuple("安白柏冰采辰澄初春聪丹东方芳飞枫庚谷光海涵禾恒虹怀惠嘉江洁景静君可兰乐黎立林岭柳")
_SECOND = tuple("鸣宁平琪清秋然容如瑞山尚书舒朔思松泰亭彤维蔚文熙夏晓笑心秀轩雅言阳一怡忆音颖远月")


def distinct_names(seed: str) -> Iterator[str]:
    """Names for a small institution: no given name is used twice, so nobody is mistaken for somebody else."""
    chance = Random(seed)
    surnames, given = list(SURNAMES), list(GIVEN_NAMES)
    chance.shuffle(surnames)
    chance.shuffle(given)
    for place, name in enumerate(given):
        yield surnames[place % len(surnames)] + name


def any_name(chance: Random) -> str:
    """A name for a large institution, where two people of the same name are part of life."""
    return chance.choice(SURNAMES) + chance.choice(_FIRST) + chance.choice(_SECOND)
