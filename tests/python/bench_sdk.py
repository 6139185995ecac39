"""Times the Python SDK (0.1.98) as `bench-pure` times the pure crates.

    bench_sdk.py generate FILE    writes the models that both sides read: 10,000 of 100 uids each, half of them distinct
    bench_sdk.py uids FILE        from JSON to the distinct uids, and the function alone: its first call and a repeated one
    bench_sdk.py data-type        DataType, both ways in and out

Prints one JSON object; what ends in `_ns` is a median in nanoseconds, of one call.
"""

import gc
import json
import random
import statistics
import sys
import timeit
import uuid
from time import perf_counter_ns

ROUNDS = 5


def generate(path):
    dice = random.Random(98)

    def uid():
        return str(uuid.UUID(int=dice.getrandbits(128), version=4))

    uids = [uid() for _ in range(500_000)] * 2
    dice.shuffle(uids)
    models = [
        {
            "model_uid": uid(),
            "title": f"Model {number}",
            "description": "",
            "feature_node_hashes": {f"{dice.getrandbits(32):08x}": None},
            "model": "resnet50",
            "model_iteration_uids": uids[number * 100 :][:100],
        }
        for number in range(10_000)
    ]
    with open(path, "w") as file:
        json.dump(models, file)
    return {"models": len(models), "uids": len(uids), "distinct": len(set(uids))}


def uids(path):
    from encord.orm.model import ModelConfiguration
    from encord.utilities.project_utilities import get_all_model_iteration_uids

    with open(path, "rb") as file:
        text = file.read()
    times = {"json_loads_ns": [], "from_dict_ns": [], "function_first_ns": [], "function_repeated_ns": [], "from_json_ns": []}
    for _ in range(ROUNDS):
        gc.collect()
        start = perf_counter_ns()
        listed = json.loads(text)
        loaded = perf_counter_ns()
        models = [ModelConfiguration.from_dict(model) for model in listed]
        read = perf_counter_ns()
        # The first call on these strings: Python keeps the hash of a string once it is known.
        distinct = get_all_model_iteration_uids(models)
        first = perf_counter_ns()
        times["json_loads_ns"].append(loaded - start)
        times["from_dict_ns"].append(read - loaded)
        times["function_first_ns"].append(first - read)
        times["from_json_ns"].append(first - start)
        start = perf_counter_ns()
        get_all_model_iteration_uids(models)
        times["function_repeated_ns"].append(perf_counter_ns() - start)
    return {
        "models": len(models),
        "uids": sum(len(model.model_iteration_uids) for model in models),
        "distinct": len(distinct),
        **{name: statistics.median(each) for name, each in times.items()},
    }


def data_type():
    from encord.constants.enums import DataType

    members = list(DataType)
    values = [member.value for member in members]
    upper = [member.to_upper_case_string() for member in members]

    def per_call(function, inputs):
        def calls():
            for value in inputs:
                function(value)

        number = 2_000
        return statistics.median(timeit.repeat(calls, number=number, repeat=11)) / number / len(inputs) * 1e9

    return {
        "from_value_ns": per_call(DataType, values),
        "from_upper_case_string_ns": per_call(DataType.from_upper_case_string, upper),
        "value_ns": per_call(lambda member: member.value, members),
        "to_upper_case_string_ns": per_call(DataType.to_upper_case_string, members),
        "from_unknown_value_ns": per_call(DataType, ["hologram"] * len(members)),
    }


if __name__ == "__main__":
    commands = {"generate": generate, "uids": uids, "data-type": data_type}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    print(json.dumps(commands[sys.argv[1]](*sys.argv[2:])))
