"""`ectopy eda`: the report is whole and stands alone, and what it says agrees with the data."""

import base64
import html
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wfdb
from sklearn.decomposition import PCA
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier
from typer.testing import CliRunner

import ectopy
from ectopy.cli import app
from ectopy.data import present, records, split, training
from ectopy.errors import FormatError, OutputError, RecordError, SignalError
from ectopy.reports.eda import explore, save

PAGE = Path(__file__).parents[1] / "docs" / "eda.md"
SECTIONS = [
    "counts-by-record",
    "imbalance",
    "beat-shapes",
    "strips",
    "rr-and-heart-rate",
    "prematurity",
    "amplitude",
    "quality",
    "missing",
    "correlation",
    "embedding",
    "random-or-patient-split",
    "sets",
    "databases",
    "one-patient",
]
ALWAYS_ABOUT_SEVERAL = {"random-or-patient-split", "sets", "databases", "one-patient"}
MITDB = [f"mitdb/{n}" for n in (106, 118, 119, 207, 208, 209, 201, 202, 213, 232, 217)]
TRAINING = {*training("ds1"), *training("shipped")}
SVDB = [f"svdb/{n}" for n in (820, 854, 801, 821, 878)]


def write(folder, name, samples, fs=360, units="mV", gain=200.0):
    wfdb.wrsamp(
        name,
        fs=fs,
        units=[units] * samples.shape[1],
        sig_name=[f"lead{i}" for i in range(samples.shape[1])],
        p_signal=samples.astype(float),
        fmt=["16"] * samples.shape[1],
        adc_gain=[gain] * samples.shape[1],
        baseline=[0] * samples.shape[1],
        write_dir=str(folder),
    )
    return str(folder / f"{name}.dat")


def sections(page):
    """Key to text, with the tags gone, and to whether there is a figure."""
    found = re.findall(r'<section id="([\w-]+)"><h2>.*?</h2>\s*<p>(.*?)</p>(.*?)</section>', page, re.DOTALL)
    return {key: (html.unescape(text), "<img" in rest) for key, text, rest in found}


class Report:
    def __init__(self, tables, folder, data_dir=None):
        self.tables, self.folder = tables, folder
        self.written = save(tables, folder, data_dir)
        self.page = self.written[-1].read_text(encoding="utf-8")
        self.text = {key: text for key, (text, _) in sections(self.page).items()}
        self.drawn = [key for key, (_, figure) in sections(self.page).items() if figure]


@pytest.fixture(scope="module")
def of_demo(tmp_path_factory):
    return Report(explore(["demo"]), tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def names(mitdb):
    return present([*MITDB, *SVDB], mitdb.parent)


@pytest.fixture(scope="module")
def of_databases(names, mitdb, tmp_path_factory):
    """Of some records of mitdb, and of svdb where it is here."""
    return Report(explore(names, mitdb.parent), tmp_path_factory.mktemp("databases"), mitdb.parent)


@pytest.fixture(scope="module")
def recordings(names, mitdb):
    return {name: ectopy.read(name, data_dir=mitdb.parent) for name in names}


@pytest.fixture(scope="module")
def classes(recordings):
    """Record to its reference beats of each class."""
    return {name: Counter(recording.annotations.beats.aami) for name, recording in recordings.items()}


@pytest.fixture(params=["of_demo", "of_databases"])
def report(request):
    return request.getfixturevalue(request.param)


# The report


def test_every_section_is_there_with_a_sentence(report):
    assert list(report.text) == SECTIONS
    assert all(re.fullmatch(r"[A-Za-z0-9].{20,}\.", text, re.DOTALL) for text in report.text.values())
    assert not re.search(r"\bnan\b|\binf\b|None of 0|\(\)", " ".join(report.text.values()))


def test_a_section_without_figure_says_what_it_lacks(of_demo, of_databases, svdb):
    assert set(SECTIONS) - set(of_demo.drawn) == ALWAYS_ABOUT_SEVERAL
    for key in ALWAYS_ABOUT_SEVERAL:
        assert re.search(r"nothing to compare|no split to compare", of_demo.text[key], re.IGNORECASE)
    assert of_databases.drawn == SECTIONS


def test_it_stands_alone(report):
    assert not re.search(r"https?:|//|<script|<link|@import|url\(", re.sub(r"base64,[^\"]+", "", report.page))
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'src="([^"]+)"', report.page))


def test_the_figures_in_it_are_those_beside_it(report):
    inside = [base64.b64decode(data) for data in re.findall(r"base64,([^\"]+)", report.page)]
    *figures, page = report.written
    assert [path.read_bytes() for path in figures] == inside
    assert all(data.startswith(b"\x89PNG") for data in inside)
    assert [re.sub(r".*\.eda\.\d\d-|\.png", "", path.name) for path in figures] == report.drawn
    assert sorted(report.folder.iterdir()) == sorted(report.written)
    assert page.name.endswith(".eda.html")


def test_it_says_that_test_patients_are_shown_and_nothing_is_chosen_by_them(of_demo, of_databases):
    assert re.search(r"Test patients \(DS2(, svdb-odd)?\) are shown", of_databases.page)
    assert "no choice is made from them" in of_databases.page
    assert "embedding and neighbours use training patients only" in of_databases.page
    assert "Test patients" not in of_demo.page
    assert "mitdb/202 is the person of mitdb/201" in of_databases.page


def test_it_says_so_where_all_that_is_shown_are_test_patients(stand_ins):
    tables = explore(["mitdb/100", str(stand_ins / "mitdb" / "232.hea")], stand_ins)
    assert tables.records["record"].tolist() == ["mitdb/100", "mitdb/232"]
    assert tables.groups == ["DS2"]
    (note,) = [note for note in tables.notes if note.startswith("Test patients (DS2) are shown")]
    assert "neighbours show them too" in note and "training patients only" not in note


def test_it_names_its_sources(of_databases, of_demo):
    assert "MIT-BIH Arrhythmia Database, ODC-By 1.0. Moody GB" in of_databases.page
    assert "demo: no reference beats, so the model instant" in of_demo.page


# What it says


def test_the_counts_are_those_of_the_annotations(of_databases, classes):
    table = of_databases.tables.records.set_index("record")[list("NSVFQ")]
    for name, counts in classes.items():
        assert table.loc[name].to_dict() == {aami: counts[aami] for aami in "NSVFQ"}
    total: Counter[str] = sum(classes.values(), Counter())
    text = of_databases.text["counts-by-record"]
    assert f"{100 * total['N'] / total.total():.0f} % of {total.total():,} beats are N" in text
    assert f"S in 232 (1,382 of {total['S']:,}), V in 208 (992 of {total['V']:,})" in text


def test_232_weighs_three_quarters_of_the_s_beats_of_ds2(of_databases, classes):
    of_ds2 = sum(classes[name]["S"] for name in MITDB if name in split("DS2"))
    assert f"232 holds 1,382 of the {of_ds2:,} S beats of DS2" in of_databases.text["one-patient"]
    assert f"{of_ds2 - 1382:,} without it" in of_databases.text["one-patient"]


def test_class_weights_come_from_training_records_only(of_databases, classes):
    trained: Counter[str] = sum((counts for name, counts in classes.items() if name in TRAINING), Counter())
    rarest = min(trained, key=lambda aami: trained[aami])
    weight = trained.total() / (len(trained) * trained[rarest])
    text = of_databases.text["imbalance"]
    assert f"{rarest}, has {trained[rarest]:,} beats against {trained['N']:,} of N" in text
    assert f"a beat of {rarest} must weigh {weight:,.0f}" in text


def test_prematurity_and_rr_are_those_of_the_annotations(of_databases, recordings):
    beats = of_databases.tables.beats[of_databases.tables.beats["record"] == "mitdb/119"]
    rr = np.diff(recordings["mitdb/119"].annotations.beats.sample) / 360
    assert np.isnan(beats["rr_s"].iloc[0])
    np.testing.assert_allclose(beats["rr_s"].iloc[1:], rr)
    np.testing.assert_allclose(beats["rr_next_s"].iloc[:-1], rr)
    i = 700
    np.testing.assert_allclose(beats["prematurity"].iloc[i + 1], rr[i] / np.median(rr[i - 10 : i]))
    # 119 has ventricular beats in a fixed rhythm after a compensatory pause: all come early
    assert (beats.loc[beats["aami"] == "V", "prematurity"] < 0.9).mean() > 0.99
    early = of_databases.tables.beats.groupby("aami")["prematurity"].agg(lambda p: (p < 0.9).sum() / p.notna().sum())
    assert f"{100 * early['V']:.0f} % of V" in of_databases.text["prematurity"]


def test_an_interval_across_flutter_is_no_rr_interval(of_databases, recordings):
    long = sum(
        int((np.diff(recording.annotations.beats.sample) / float(recording.fs) > 3).sum())
        for recording in recordings.values()
    )
    assert long > 0
    assert f"Left out: {long} interval" in of_databases.text["rr-and-heart-rate"]
    assert of_databases.tables.beats["rr_s"].max() <= 3


def test_amplitude_is_that_of_the_file_and_width_tells_wide_beats(of_databases, recordings):
    recording = recordings["mitdb/119"]
    beats = of_databases.tables.beats[of_databases.tables.beats["record"] == "mitdb/119"]
    at = beats["sample"].iloc[100]
    assert beats["amplitude_mv"].iloc[100] == pytest.approx(np.ptp(recording.samples[at - 36 : at + 37, 0]))
    medians = beats.groupby("aami")["width_ms"].median()
    assert medians["V"] > 2 * medians["N"]


def test_pca_holds_the_variance_that_scikit_learn_finds(of_databases):
    tables = of_databases.tables
    rows = tables.shaped[(tables.shaped["place"] == 0) & tables.shaped["training"]]
    known = np.isfinite(tables.beats["prematurity"].to_numpy()[rows["beat"]])
    shapes = tables.shapes[rows.index[known]]
    n = rows["patient"].nunique()
    share = PCA(2).fit(shapes).explained_variance_ratio_.sum()
    assert f"({len(shapes):,} beats of {n} training patients" in of_databases.text["embedding"]
    assert f"holds {100 * share:.0f} % of the variance" in of_databases.text["embedding"]


def test_the_nearest_neighbour_does_what_scikit_learn_s_does(of_databases):
    tables = of_databases.tables
    rows = tables.shaped[(tables.shaped["place"] == 0) & tables.shaped["training"]]
    early = tables.beats["prematurity"].to_numpy()[rows["beat"]]
    rows, early = rows[np.isfinite(early)], early[np.isfinite(early)]
    shapes = tables.shapes[rows.index]
    points = np.column_stack(
        [(shapes - shapes.mean(0)) / np.sqrt(shapes.var(0).sum()), (early - early.mean()) / early.std()]
    )
    aami, patient = rows["aami"].to_numpy(dtype=str), rows["patient"].to_numpy(dtype=str)
    nearest = KNeighborsClassifier(2).fit(points, aami).kneighbors(points, return_distance=False)[:, 1]
    by_patient = np.empty_like(aami)
    for one in np.unique(patient):
        own = patient == one
        by_patient[own] = KNeighborsClassifier(1).fit(points[~own], aami[~own]).predict(points[own])
    abnormal = [
        f1_score(np.isin(aami, list("SVF")), np.isin(called, list("SVF"))) for called in (aami[nearest], by_patient)
    ]
    seeming, honest = map(
        float,
        re.findall(r"seems to be (\d\.\d\d).*only it is (\d\.\d\d)", of_databases.text["random-or-patient-split"])[0],
    )
    assert seeming == pytest.approx(abnormal[0], abs=0.01)
    assert honest == pytest.approx(abnormal[1], abs=0.01)
    assert seeming > honest + 0.1, "a random split flatters"


def test_no_test_patient_is_in_the_strips(of_databases, names):
    trained = set(names) & TRAINING
    shown = re.findall(r"beats? in (\d+) from", of_databases.text["strips"])
    assert len(shown) == 3 and {name.rpartition("/")[2] for name in trained} >= set(shown)


def test_sets_and_databases_are_set_against_each_other(of_databases, svdb):
    counts = of_databases.tables.records.groupby("group")[list("NSVFQ")].sum()
    rate = 1000 * counts["S"] / counts.sum(axis=1)
    assert f"DS1 against DS2: S {rate['DS1']:.1f} against {rate['DS2']:.1f}" in of_databases.text["sets"]
    assert "svdb-even against svdb-odd" in of_databases.text["sets"]
    assert "mitdb against svdb" in of_databases.text["databases"]
    assert set(counts.index) == {"DS1", "DS2", "mitdb, paced", "svdb-even", "svdb-odd", "svdb, left out"}


def test_beats_without_reference_are_those_of_the_analysis(of_demo, demo):
    beats = ectopy.analyze(demo).beats
    assert of_demo.tables.beats["sample"].tolist() == beats["sample"].tolist()
    assert of_demo.tables.beats["aami"].tolist() == beats["aami"].tolist()


# Files as they come


def test_missing_samples_are_counted_lead_by_lead(demo, tmp_path):
    samples = np.repeat(demo.samples[: 60 * 360], 2, axis=1)
    samples[3600:7200, 1] = np.nan
    report = Report(explore([write(tmp_path, "gap", samples)]), tmp_path / "out")
    assert "3,600 of 43,200 samples are missing" in report.text["missing"]
    assert "Worst is lead lead1 of gap" in report.text["missing"]
    states = report.tables.seconds.groupby("lead")["state"].value_counts()
    assert states["lead1", "missing"] == 10
    assert "missing" not in states["lead0"]


def test_a_recording_without_beats_still_gets_a_report_that_says_so(tmp_path):
    report = Report(explore([write(tmp_path, "flat", np.zeros((30 * 360, 1)))]), tmp_path / "out")
    assert list(report.text) == SECTIONS
    assert "No beats" in report.text["counts-by-record"]
    assert "100 % of seconds are flat" in report.text["missing"]


def test_without_calibration_there_is_no_amplitude_and_it_is_said(demo, tmp_path):
    file = write(tmp_path, "raw", demo.samples[: 60 * 360] * 1000, units="adu", gain=1.0)
    report = Report(explore([file]), tmp_path / "out")
    assert "amplitude" not in report.drawn and "calibrated" in report.text["amplitude"]
    assert "not calibrated" in report.page


def test_two_files_of_one_name_stay_two_patients(demo, tmp_path):
    files = []
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        files.append(write(tmp_path / folder, "one", demo.samples[: 60 * 360]))
    tables = explore(files)
    assert tables.records["patient"].tolist() == files
    save(tables, tmp_path / "out")


def test_a_file_and_a_lead_with_dollars_in_their_names_are_drawn(demo, tmp_path):
    x = demo.samples[: 60 * 360]
    files = []
    for name in ("a", "b", "c"):  # three patients, so that their shares are drawn too
        header = Path(write(tmp_path, name, np.hstack([x, 0 * x]))).with_suffix(".hea")
        header.write_text(header.read_text().replace("lead", r"V$\lead$"))
        files.append(str(header.rename(tmp_path / rf"{name}$\q$.hea")))
    report = Report(explore(files), tmp_path / "out")
    assert {"counts-by-record", "strips", "missing", "embedding", "one-patient"} <= set(report.drawn)


def test_nothing_is_said_of_patients_or_classes_that_the_numbers_do_not_say(demo, tmp_path):
    files = [write(tmp_path, name, demo.samples[: 60 * 360]) for name in "abcde"]  # one patient, five times
    text = Report(explore(files), tmp_path / "out").text
    assert "Beats do not gather by patient: for 0 % the nearest" in text["embedding"]
    assert "falls" not in text["random-or-patient-split"] and "makes up" not in text["random-or-patient-split"]


def test_one_class_alone_is_not_weighed_against_itself(demo, tmp_path):
    file = write(tmp_path, "one", demo.samples[: 10 * 360])
    wfdb.wrann("one", "atr", np.array([500, 900]), ["V", "V"], write_dir=str(tmp_path))
    report = Report(explore([file]), tmp_path / "out")
    assert "imbalance" not in report.drawn and "rarest" not in report.text["imbalance"]


def test_a_bad_record_of_a_database_is_left_out_and_said(demo, tmp_path):
    folder = tmp_path / "cinc2017"
    folder.mkdir()
    write(folder, "A1", demo.samples[: 20 * 360])
    write(folder, "A2", demo.samples[: 20 * 360])
    (folder / "A2.dat").write_bytes(b"")
    report = Report(explore(["cinc2017"], tmp_path), tmp_path / "out", tmp_path)
    assert report.tables.records["record"].tolist() == ["cinc2017/A1"]
    assert any(note.startswith("left out: ") and "A2" in note for note in report.tables.notes)
    assert "cinc2017: 1 of its 300 records" in report.page
    with pytest.raises(FormatError, match="A2"):
        explore(["cinc2017/A2"], tmp_path)


def test_umap_is_drawn_where_it_is_installed_and_missed_where_not(of_demo, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    assert "pip install 'ectopy[umap]'" in Report(of_demo.tables, tmp_path / "without").text["embedding"]

    class Umap:
        def __init__(self, **options):
            assert options["random_state"] == 0, "the same picture each time"

        def fit_transform(self, shapes):
            return shapes[:, :2]

    monkeypatch.setitem(sys.modules, "umap", type(sys)("umap"))
    monkeypatch.setattr(sys.modules["umap"], "UMAP", Umap, raising=False)
    assert "UMAP" not in Report(of_demo.tables, tmp_path / "with").text["embedding"]


# Errors, and a report that is whole or not there


@pytest.mark.parametrize(
    ("seconds", "value", "message"),
    [(1, 0.5, "expected at least 2 s"), (10, np.nan, "every sample of lead0 is missing")],
)
def test_what_cannot_be_looked_at_is_refused(seconds, value, message, tmp_path):
    with pytest.raises(SignalError, match=message):
        explore([write(tmp_path, "bad", np.full((seconds * 360, 1), value))])


def test_a_user_s_mistake_is_one_line_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nowhere"))
    (tmp_path / "file").touch()
    out = tmp_path / "out"
    for arguments, line in [
        (["nothing"], "nothing: no such recording"),
        (["mitdb"], "fetch it with 'ectopy data get mitdb'"),
        (["demo", str(tmp_path / "file")], "in no format that Ectopy reads"),
        (["demo", "--out", str(tmp_path / "file")], "can't be written as a folder"),
    ]:
        answer = CliRunner().invoke(app, ["eda", "--out", str(out), *arguments])
        assert answer.exit_code == 2
        assert len(answer.stderr.strip().splitlines()) == 1 and line in answer.stderr, answer.stderr
        assert not out.exists()


def test_a_report_that_cannot_be_put_in_its_place_is_not_there(of_demo, tmp_path):
    (tmp_path / "demo.eda.html").mkdir()
    with pytest.raises(OutputError, match="choose another folder"):
        save(of_demo.tables, tmp_path)
    assert not any(path.is_file() and path.suffix == ".html" for path in tmp_path.rglob("*"))
    assert not any(path.name.startswith(".ectopy") for path in tmp_path.iterdir())


def test_figures_of_an_earlier_report_do_not_stay_behind(of_demo, tmp_path):
    for name in ("100[1].eda.13-sets.png", "1001.eda.13-sets.png", "demo.png"):
        (tmp_path / name).touch()
    save(replace(of_demo.tables, asked=("100[1].hea",)), tmp_path)
    assert not (tmp_path / "100[1].eda.13-sets.png").exists()
    assert (tmp_path / "1001.eda.13-sets.png").exists() and (tmp_path / "demo.png").exists()


def test_the_report_is_the_same_each_time(of_demo, tmp_path):
    again = Report(explore(["demo"]), tmp_path)
    assert again.page == of_demo.page


def test_progress_counts_records_and_sections(of_demo, tmp_path):
    steps = []
    explore(["demo"], progress=lambda *step: steps.append(step))
    assert steps == [(1, 1, "demo")]
    steps.clear()
    save(of_demo.tables, tmp_path, progress=lambda *step: steps.append(step))
    assert [step[:2] for step in steps] == [(n, len(SECTIONS)) for n in range(1, len(SECTIONS) + 1)]


def test_names_that_are_asked_for_give_the_report_its_name(of_demo, tmp_path):
    for asked, name in [
        (("mitdb", "svdb/800"), "mitdb-800.eda.html"),
        ((str(tmp_path / "a.dat"), "b", "c", "d"), "a-and-3-more.eda.html"),
        ((str(tmp_path / "p.1"),), "p.1.eda.html"),
    ]:
        assert save(replace(of_demo.tables, asked=asked), tmp_path)[-1].name == name


def test_the_command_looks_at_the_demo_if_nothing_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, ["eda"])
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout == f"wrote {Path('eda') / 'demo.eda.html'} and 11 figures beside it\n"
    assert "demo: MIT-BIH record 208, a training patient." in answer.stderr


# The page


def test_the_page_s_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert "mitdb/101" in printed and "demo.eda.html" in printed
    assert (tmp_path / "eda" / "demo.eda.html").is_file()


def test_the_page_s_figures_are_there_and_small():
    page = PAGE.read_text(encoding="utf-8")
    figures = [PAGE.parent / name for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page)]
    assert len(figures) == 3
    assert all(0 < figure.stat().st_size < 150_000 for figure in figures)


def test_the_page_s_counts_are_those_of_the_database(mitdb):
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    counts = {
        name: Counter(ectopy.read(name, data_dir=mitdb.parent).annotations.beats.aami)
        for name in records("mitdb", mitdb.parent)
    }
    of_ds2 = sum(counts[name]["S"] for name in split("DS2"))
    assert f"232 holds {counts['mitdb/232']['S']:,} of the {of_ds2:,} S beats of DS2" in page
    total = sum(count.total() for count in counts.values())
    assert f"{total:,} beats" in page


def test_the_errors_of_a_database_that_does_not_exist_name_those_there_are():
    with pytest.raises(RecordError, match="expected one of"):
        records("nodb")
