"""How data is lost: seven schedules are one road, travelled at different speeds.

Run: python examples/01_losing_data.py
"""

import torch

from unfog.process import SCHEDULES, GaussianProcess

times = torch.linspace(0.05, 0.95, 7, dtype=torch.float64)
print("log(alpha / sigma) at t =", *(f"{t:8.2f}" for t in times))
for name, schedule in SCHEDULES.items():
    process = GaussianProcess(schedule())
    print(f"{name:>24}", *(f"{clock:8.2f}" for clock in process.log_ratio(times)))

# the same noise level is reached by all of them, only at another t
level = torch.tensor(0.0, dtype=torch.float64)
print("\nhalf signal, half noise at t =")
for name, schedule in SCHEDULES.items():
    t = schedule().time(level)
    alpha, sigma = schedule().alpha(t), schedule().sigma(t)
    print(f"{name:>24} {float(t):8.4f}   alpha {float(alpha):.3f}  sigma {float(sigma):.3f}")
