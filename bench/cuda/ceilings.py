"""What a card reaches through PyTorch: copies of memory, products in float32 and bfloat16. Medians of ten."""
import statistics
import torch


def median_seconds(run):
    run()
    times = []
    for _ in range(10):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        run()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / 1e3)
    return statistics.median(times)


print("torch", torch.__version__, "CUDA", torch.version.cuda)
x = torch.rand(2**28, device="cuda")
y = torch.empty_like(x)
print(f"copy {2 * x.nbytes / median_seconds(lambda: y.copy_(x)) / 1e12:.2f} TB/s, both ways counted")
torch.backends.cuda.matmul.allow_tf32 = False
for kind, n in ((torch.float32, 4096), (torch.bfloat16, 8192)):
    a, b = (torch.rand(n, n, device="cuda").to(kind) for _ in range(2))
    print(f"{kind} {n}: {2 * n**3 / median_seconds(lambda: a @ b) / 1e12:.1f} TFLOP/s")
