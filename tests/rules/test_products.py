"""What people write in the column "vaccine"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.personnel.rules.products import recognise, suggestions
from services.personnel.rules.programmes import COVID19, Product


def code_of(text: str) -> str | None:
    product = recognise(text, COVID19)
    return product.code if product else None


def suggested(text: str) -> list[str]:
    return [product.code for product in suggestions(text, COVID19)]


@pytest.mark.parametrize(
    "text, code",
    [
        ("科兴", "coronavac"),
        ("CoronaVac", "coronavac"),
        ("北京科兴中维生物技术有限公司", "coronavac"),
        ("科兴（大连）疫苗技术有限公司", "coronavac"),
        ("新冠灭活疫苗（Vero细胞）科兴中维", "coronavac"),
        ("北京生物", "bibp"),
        ("BBIBP-CorV", "bibp"),
        ("国药集团中国生物北京生物制品研究所有限责任公司", "bibp"),
        ("国药（北京）", "bibp"),
        ("武汉生物", "wibp"),
        ("新冠灭活(武汉)", "wibp"),
        ("成都生物", "cdibp"),
        ("兰州生物", "lzibp"),
        ("长春生物", "ccibp"),
        ("深圳康泰生物制品股份有限公司", "kconvac"),
        ("中国医学科学院医学生物学研究所", "imbcams"),
        ("国药", "sinopharm"),
        ("国药集团新冠疫苗", "sinopharm"),
        ("新冠灭活（Vero细胞）", "inactivated"),
        ("新冠灭活（Vero 细胞）", "inactivated"),
        ("新型冠状病毒灭活疫苗（Vero细胞）", "inactivated"),
        ("智飞", "zf2001"),
        ("重组新型冠状病毒疫苗（CHO细胞）", "zf2001"),
        ("安徽智飞龙科马生物制药有限公司", "zf2001"),
        ("康希诺", "convidecia"),
        ("重组新型冠状病毒疫苗（5型腺病毒载体）", "convidecia"),
    ],
)
def test_a_product_is_recognised_as_exactly_as_it_was_written(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize("text", ["ＣＯＲＯＮＡＶＡＣ", " corona vac ", "corona-vac", "科 兴", "【科兴】", "\u3000科兴\t"])
def test_width_case_spaces_and_brackets_do_not_matter(text: str) -> None:
    assert code_of(text) == "coronavac"


@pytest.mark.parametrize(
    "text", ["疫苗", "新冠疫苗", "重组新型冠状病毒疫苗", "北京", "北京生物 武汉生物", "康希诺 灭活", "辉瑞", "科兴?甲肝", "", "()", "1"]
)
def test_what_names_none_or_several_is_not_guessed(text: str) -> None:
    assert code_of(text) is None


@pytest.mark.parametrize(
    "text, first",
    [("新官灭活", "inactivated"), ("科星", "coronavac"), ("北京生牧", "bibp"), ("康西诺", "convidecia"), ("Coronovac", "coronavac")],
)
def test_a_typing_error_is_answered_with_what_was_meant(text: str, first: str) -> None:
    assert code_of(text) is None
    assert suggested(text)[0] == first


def test_of_a_text_that_leaves_several_open_just_those_are_suggested_first() -> None:
    assert set(suggested("重组新型冠状病毒疫苗")[:2]) == {"zf2001", "convidecia"}
    assert set(suggested("北京")) == {"bibp", "coronavac"}


@pytest.mark.parametrize("text", ["", "疫苗", "新冠疫苗", "Pfizer", "辉瑞", "甲肝"])
def test_nothing_is_suggested_for_what_says_nothing_or_something_else(text: str) -> None:
    assert suggested(text) == []


@pytest.mark.parametrize("product", COVID19.products, ids=lambda product: product.code)
def test_every_name_a_page_shows_is_read_back_as_the_same_product(product: Product) -> None:
    written = [product.code, *product.names.values(), *product.aliases, *(maker for maker in product.maker.values() if maker)]
    assert {text: code_of(text) for text in written} == dict.fromkeys(written, product.code)


def test_every_product_has_a_series_both_languages_and_a_place_among_the_less_exact_ones() -> None:
    for product in COVID19.products:
        assert set(product.names) == set(product.maker) == {"zh-Hans", "en"}
        assert COVID19.series_by_product[product.code].platform == product.platform
        if product.within:
            assert COVID19.product_by_code[product.within].platform == product.platform
    assert {code for codes in COVID19.words.values() for code in codes} <= set(COVID19.product_by_code)


@given(st.text(max_size=60) | st.lists(st.sampled_from(["科兴", "北京", "生物", "疫苗", "(", "重组", "vero", " ", "X"])).map("".join))
def test_any_text_gets_an_answer_and_suggestions_are_products_once_each(text: str) -> None:
    product = recognise(text, COVID19)
    codes = suggested(text)
    assert len(codes) == len(set(codes)) <= 5
    if product:
        assert product.code in codes


def test_a_text_made_to_be_slow_is_answered_at_once() -> None:
    assert code_of("北京生物" * 100_000) is None
    assert code_of("北京生物" * 40 + "!甲") is None
