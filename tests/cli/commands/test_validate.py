import json

from tests.cli.program import Relightflow, loaded

from .conftest import Write


def test_a_valid_recipe_is_told_with_its_cells(relightflow: Relightflow, write: Write) -> None:
    write()
    done = relightflow("validate", "spring.yaml")
    assert (done.returncode, done.stdout) == (0, "spring.yaml: valid, 2 cells per image\n")


def test_every_problem_is_told_with_its_place(relightflow: Relightflow, write: Write) -> None:
    write(more="repeat: none\nlimit: {}\n")
    done = relightflow("validate", "spring.yaml")
    assert done.returncode == 2
    assert "spring.yaml:7:9: repeat:" in done.stderr
    assert "spring.yaml:8:1: limit:" in done.stderr
    assert done.stdout == ""


def test_a_name_with_a_field_that_nobody_knows_is_told(
    relightflow: Relightflow, write: Write
) -> None:
    path = write()
    path.write_text(path.read_text().replace("out/}", "out/, name: '{light_dir}.{ext}'}"))
    done = relightflow("validate", "spring.yaml")
    assert done.returncode == 2
    assert "spring.yaml:6:" in done.stderr
    assert "sinks[0].name: unknown field '{light_dir}'" in done.stderr


def test_a_bad_recipe_does_not_hide_the_verdict_on_the_others(
    relightflow: Relightflow, write: Write
) -> None:
    write("a", more="oops: 1\n")
    write("b")
    done = relightflow("validate", ".")
    assert done.returncode == 2
    assert done.stdout == "b.yaml: valid, 2 cells per image\n"


def test_a_matrix_without_cells_is_invalid(relightflow: Relightflow, write: Write) -> None:
    path = write()
    path.write_text(
        path.read_text().replace("[left, right]}", "left, exclude: [{light_direction: left}]}")
    )
    assert relightflow("validate", "spring.yaml").returncode == 2


def test_verdicts_for_programs_are_a_line_a_recipe(relightflow: Relightflow, write: Write) -> None:
    write("a", more="oops: 1\n")
    write("b")
    done = relightflow("validate", "--json", "a.yaml", "b.yaml")
    bad, good = map(json.loads, done.stdout.splitlines())
    assert (bad["path"], bad["valid"], bad["problems"][0]["line"]) == ("a.yaml", False, 7)
    assert (good["path"], good["valid"], good["cells"]) == ("b.yaml", True, 2)


def test_a_setting_of_the_command_line_is_checked_too(
    relightflow: Relightflow, write: Write
) -> None:
    write()
    done = relightflow("validate", "spring.yaml", "--set", "limits.concurrency=0")
    assert done.returncode == 2
    assert "--set limits.concurrency" in done.stderr


def test_quiet_says_nothing_of_a_valid_recipe(relightflow: Relightflow, write: Write) -> None:
    write()
    done = relightflow("validate", "-q", "spring.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_file_that_is_missing_is_told(relightflow: Relightflow) -> None:
    done = relightflow("validate", "gone.yaml")
    assert done.returncode == 2
    assert done.stderr == "error: gone.yaml: file not found\n"


def test_validate_loads_no_network_no_images_and_no_arrays(write: Write) -> None:
    names = loaded("validate", str(write()))
    assert not names & {"aiohttp", "numpy", "PIL", "obstore", "rich"}
