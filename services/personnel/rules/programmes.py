"""The vaccination programmes as data: which products count, how many doses, at which intervals, and which paper says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

Names = Mapping[str, str]  # language tag ("zh-Hans", "en") -> what a reader of that language sees


@dataclass(frozen=True, slots=True)
class Product:
    """What was in the syringe, as exactly as it is known.

    `within` is the code of the less exact product this one is a kind of: "Sinopharm" alone is one of its institutes' vaccines.
    `maker` is empty where the text did not name one. `aliases` are what people type; products.py reads them.
    """

    code: str
    platform: str
    maker: Names = field(hash=False)
    names: Names = field(hash=False)
    aliases: tuple[str, ...] = ()
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """The doses one platform asks for. All figures are days unless the name says months.

    `least_days` is when the next dose may be taken, counted from the dose before it. `counts_from_days` is from when an early one is
    let pass all the same. The latest dates count from the first dose, that day included. A series that `lasts_years` begins anew with every
    further dose; its last day is the same day so many years later.
    """

    platform: str
    names: Names = field(hash=False)
    dose_count: int
    least_days: int = 0
    counts_from_days: int = 0
    second_within_days: int | None = None
    last_within_months: int | None = None
    lasts_years: int | None = None


@dataclass(frozen=True, eq=False)
class Programme:
    """A vaccination requirement in one version. Its first series is the usual one: what is asked of somebody who has not begun."""

    code: str
    version: str
    names: Names
    source: str
    effective_on: date
    begins_on: date  # nothing can have been given before
    least_age: int  # years; 0: it is asked at no birthday
    series: tuple[Series, ...]
    products: tuple[Product, ...]
    words: Mapping[str, tuple[str, ...]]  # words beside a product's name: the products they leave possible; none: they say nothing
    of_everybody: bool = True  # else a person stands in it only from the first dose, exemption or statement on

    @cached_property
    def product_by_code(self) -> Mapping[str, Product]:
        return {product.code: product for product in self.products}

    @cached_property
    def series_by_product(self) -> Mapping[str, Series]:
        """Product code -> the series it is a dose of."""
        by_platform = {series.platform: series for series in self.series}
        return {product.code: by_platform[product.platform] for product in self.products}

    @cached_property
    def exactness(self) -> Mapping[str, int]:
        """Product code -> how exactly it names the product: 0 is a platform alone."""
        depth: dict[str, int] = {}
        for product in self.products:
            steps, above = 0, product.within
            while above is not None:
                steps, above = steps + 1, self.product_by_code[above].within
            depth[product.code] = steps
        return depth

    @property
    def usual(self) -> Series:
        return self.series[0]


def _named(zh: str, en: str) -> Names:
    return {"zh-Hans": zh, "en": en}


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split("; "))


_SINOPHARM = ("sinopharm", "bibp", "wibp", "cdibp", "lzibp", "ccibp")
_NOBODY = _named("", "")

COVID19 = Programme(
    code="covid19",
    version="2021-03",
    names=_named("新冠病毒疫苗", "COVID-19"),
    source=(
        "国家卫生健康委员会：《新冠病毒疫苗接种技术指南（第一版）》，2021年3月29日 "
        "(National Health Commission of China: Technical guideline for COVID-19 vaccination, first edition, 29 March 2021; "
        "in English: http://en.nhc.gov.cn/2021-04/01/c_83363.htm)"
    ),
    effective_on=date(2021, 3, 29),
    begins_on=date(2020, 3, 16),  # the first volunteer of the first trial of any of these products
    least_age=18,
    series=(
        # Two doses, at least 3 weeks apart, the second within 8 weeks. "14–21 days: no make-up dose": so 14 counts, 13 does not.
        Series("inactivated", _named("灭活疫苗（Vero细胞）", "inactivated (Vero cell)"), 2, 21, 14, 56),
        # Three doses, at least 4 weeks apart, the second within 8 weeks and the third within 6 months of the first.
        Series("subunit", _named("重组亚单位疫苗（CHO细胞）", "recombinant subunit (CHO cell)"), 3, 28, 28, 56, 6),
        Series("adenovirus", _named("腺病毒载体疫苗", "adenovirus vector"), 1),
    ),
    products=(
        Product(
            "bibp",
            "inactivated",
            _named("国药集团中国生物北京生物制品研究所有限责任公司", "Beijing Institute of Biological Products (Sinopharm)"),
            _named("新冠灭活疫苗（Vero细胞）北京生物", "BBIBP-CorV (Sinopharm Beijing)"),
            _listed(
                "北京生物; 北京所; 北生; 众爱可维; bbibp-corv; bbibp; covilo; sinopharm beijing; beijing institute of biological products"
            ),
            within="sinopharm",
        ),
        Product(
            "wibp",
            "inactivated",
            _named("国药集团中国生物武汉生物制品研究所有限责任公司", "Wuhan Institute of Biological Products (Sinopharm)"),
            _named("新冠灭活疫苗（Vero细胞）武汉生物", "WIBP-CorV (Sinopharm Wuhan)"),
            _listed("武汉生物; 武汉所; 武生; 众康可维; wibp-corv; sinopharm wuhan; wuhan institute of biological products"),
            within="sinopharm",
        ),
        Product(
            "cdibp",
            "inactivated",
            _named("国药集团中国生物成都生物制品研究所有限责任公司", "Chengdu Institute of Biological Products (Sinopharm)"),
            _named("新冠灭活疫苗（Vero细胞）成都生物", "Inactivated (Sinopharm Chengdu)"),
            _listed("成都生物; 成都所; chengdu institute of biological products"),
            within="sinopharm",
        ),
        Product(
            "lzibp",
            "inactivated",
            _named("国药集团中国生物兰州生物制品研究所有限责任公司", "Lanzhou Institute of Biological Products (Sinopharm)"),
            _named("新冠灭活疫苗（Vero细胞）兰州生物", "Inactivated (Sinopharm Lanzhou)"),
            _listed("兰州生物; 兰州所; lanzhou institute of biological products"),
            within="sinopharm",
        ),
        Product(
            "ccibp",
            "inactivated",
            _named("国药集团中国生物长春生物制品研究所有限责任公司", "Changchun Institute of Biological Products (Sinopharm)"),
            _named("新冠灭活疫苗（Vero细胞）长春生物", "Inactivated (Sinopharm Changchun)"),
            _listed("长春生物; 长春所; changchun institute of biological products"),
            within="sinopharm",
        ),
        Product(
            "coronavac",
            "inactivated",
            _named("北京科兴中维生物技术有限公司", "Sinovac Life Sciences"),
            _named("新冠灭活疫苗（Vero细胞）科兴中维", "CoronaVac (Sinovac)"),
            _listed("科兴; 科兴中维; 克尔来福; 科尔来福; corona vac; sinovac; sinovac life sciences"),
            within="inactivated",
        ),
        Product(
            "kconvac",
            "inactivated",
            _named("深圳康泰生物制品股份有限公司", "Shenzhen Kangtai Biological Products"),
            _named("新冠灭活疫苗（Vero细胞）康泰生物", "KCONVAC (Kangtai)"),
            _listed("康泰; 康泰生物; 可维克; kangtai; shenzhen kangtai"),
            within="inactivated",
        ),
        Product(
            "imbcams",
            "inactivated",
            _named("中国医学科学院医学生物学研究所", "Institute of Medical Biology, Chinese Academy of Medical Sciences"),
            _named("新冠灭活疫苗（Vero细胞）医科院生物", "Covidful (IMBCAMS)"),
            _listed("医科院; 医科院生物; 医科院生物所; 医学生物学研究所; 中国医学科学院; 昆明所; 昆明生物; 科维福; covidful"),
            within="inactivated",
        ),
        Product(
            "sinopharm",
            "inactivated",
            _named("国药集团中国生物（未写明研究所）", "Sinopharm (institute not named)"),
            _named("新冠灭活疫苗（Vero细胞）国药集团", "Inactivated, Sinopharm (institute not named)"),
            _listed("国药; 国药集团; 国药中生; 中生; 中国生物; 中国医药集团; cnbg"),
            within="inactivated",
        ),
        Product(
            "inactivated",
            "inactivated",
            _NOBODY,
            _named("新冠灭活疫苗（Vero细胞）", "Inactivated (Vero cell), maker not named"),
            _listed("灭活; 新冠灭活; 新冠灭活疫苗; 灭活疫苗; vero; vero细胞; vero cell; vero cells; 维罗细胞; inactivated; 5601"),
        ),
        Product(
            "zf2001",
            "subunit",
            _named("安徽智飞龙科马生物制药有限公司", "Anhui Zhifei Longcom Biopharmaceutical"),
            _named("重组新冠疫苗（CHO细胞）智飞龙科马", "Zifivax (Zhifei Longcom)"),
            _listed(
                "智飞; 智飞生物; 智飞龙科马; 龙科马; 智克威得; zifivax; zhifei; zhifei longcom; longcom; cho; cho细胞; cho cell; "
                "cho cells; 亚单位; 重组亚单位; 重组蛋白; 重组亚单位疫苗; subunit; protein subunit; 5603"
            ),
        ),
        Product(
            "convidecia",
            "adenovirus",
            _named("康希诺生物股份公司", "CanSino Biologics"),
            _named("重组新冠疫苗（5型腺病毒载体）康希诺", "Convidecia, Ad5-nCoV (CanSino)"),
            _listed(
                "康希诺; 康希诺生物; 克威莎; 腺病毒; 腺病毒载体; 5型腺病毒载体; 5型腺病毒; ad5-ncov; ad5; cansino; cansinobio; "
                "cansino biologics; adenovirus; adenovirus vector; adenoviral vector; 5602"
            ),
        ),
    ),
    words={
        "重组": ("zf2001", "convidecia"),
        "recombinant": ("zf2001", "convidecia"),
        "北京": ("bibp", "coronavac"),
        "beijing": ("bibp", "coronavac"),
        "大连": ("coronavac",),
        "武汉": ("wibp",),
        "wuhan": ("wibp",),
        "成都": ("cdibp",),
        "兰州": ("lzibp",),
        "长春": ("ccibp",),
        "深圳": ("kconvac",),
        "昆明": ("imbcams",),
        "安徽": ("zf2001",),
        "天津": ("convidecia",),
        "生物制品研究所": _SINOPHARM,
        **dict.fromkeys(_listed("新型冠状病毒肺炎; 新型冠状病毒; 新冠病毒; 新冠肺炎; 新冠; 冠状病毒; 病毒; 疫苗; 针剂; 细胞; 载体"), ()),
        **dict.fromkeys(_listed("covid-19; covid; sars-cov-2; vaccine; vaccines; ncov; 国产"), ()),
        **dict.fromkeys(_listed("有限责任公司; 股份有限公司; 有限公司; 股份公司; 公司; 集团; 生物; 制品; 研究所; 制药; 技术; 科技"), ()),
        **dict.fromkeys(_listed("厂家; 生产; 牌; 型; co; ltd; inc; biotech; biologics; institute of biological products"), ()),
    },
)

# Any dose counts, whoever gave it and however many came before: asked is whether one was given within ten years. Antitoxin and
# immunoglobulin protect for weeks and are no vaccines, so they are not among the products.
TETANUS = Programme(
    code="tetanus",
    version="2021-08",
    names=_named("破伤风疫苗", "Tetanus"),
    source=(
        "本单位要求：防汛抢险人员十年内接种过破伤风疫苗 "
        "(The institution's own requirement: whoever goes into a flood was given a dose within ten years, the usual interval of boosters)"
    ),
    effective_on=date(2021, 8, 1),
    begins_on=date(1900, 1, 1),
    least_age=0,
    series=(Series("toxoid", _named("破伤风类毒素", "tetanus toxoid"), 1, lasts_years=10),),
    products=(
        Product(
            "tt",
            "toxoid",
            _NOBODY,
            _named("吸附破伤风疫苗", "Tetanus (TT)"),
            _listed("破伤风; 破伤风疫苗; 破伤风类毒素; tetanus; tetanus toxoid"),
        ),
        Product(
            "td",
            "toxoid",
            _NOBODY,
            _named("吸附白喉破伤风联合疫苗", "Diphtheria and tetanus (Td)"),
            _listed("白破; 白破二联; 白喉破伤风; dt; diphtheria tetanus"),
        ),
        Product(
            "dtap",
            "toxoid",
            _NOBODY,
            _named("吸附无细胞百白破联合疫苗", "Diphtheria, tetanus and pertussis (DTaP)"),
            _listed("百白破; 百白破三联; 无细胞百白破; dtp; tdap"),
        ),
    ),
    words={**dict.fromkeys(_listed("吸附; 疫苗; 联合; 针; 加强; 加强针"), ()), **dict.fromkeys(_listed("vaccine; booster; adsorbed"), ())},
    of_everybody=False,
)

PROGRAMMES: Mapping[str, Programme] = {one.code: one for one in (COVID19, TETANUS)}
OF_EVERYBODY = tuple(one.code for one in PROGRAMMES.values() if one.of_everybody)
"""In these everybody stands from the first day on."""
