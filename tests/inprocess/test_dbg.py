import os
from tests.inprocess.test_fault_matrix import check, FAULTS, stage, built_stage
from tests.inprocess.axis import BY_OP
def test_dbg(stage):
    import logging
    logging.getLogger("bokio_app").setLevel(logging.DEBUG)
    case = BY_OP[os.environ["OP"]]
    for fault in FAULTS:
        for strike in fault.strikes:
            if os.environ["STRIKE"] not in f"{fault.code} {strike.name}" or not strike.suits(case): continue
            begin = stage.beginning if strike.from_beginning else stage.cell
            with begin(case) as cell:
                strike.arm(cell)
                strike.run(cell)
                print(fault.code, strike.name, cell.told())
                for a in cell.step.attempts.all(): print(a.outcome, a.status, a.code, a.at)
                for s in cell.flow.steps.order_by("pos"):
                    for a in s.attempts.all(): print(s.op, a.outcome, a.status, a.code, a.at)
                try: check(strike, cell)
                except AssertionError as e: print("FAIL", str(e)[-3000:])
