"""More calls for `numpy_cases`: sets, counts, places, borders, parts of numbers, polynomials."""

from __future__ import annotations

__all__ = ["STRUCTURE_CASES"]

STRUCTURE_CASES: dict[str, str] = {
    "searching": """
searchsorted(i[:2] * 0, i); searchsorted(v[:1], v); searchsorted(p[0] * 0, p); searchsorted(e[0], v)
searchsorted(p[0].cumsum(), p); searchsorted(p[0].cumsum(), p[1], 'right'); searchsorted(v[:1], 2)
searchsorted(k[1, :2], i, side='right')
digitize(x, p[0].cumsum()); digitize(p, p[1].cumsum(), right=True); digitize(v, p[1].cumsum()[::-1])
digitize(2, i[:2]); digitize(s, p[0].cumsum()); digitize(p, p[0].cumsum()[::-1], True)
interp(x, p[0].cumsum(), p[1]); interp(v, p[0].cumsum(), v); interp(1, p[1].cumsum(), p[0])
interp(p, p[0].cumsum(), x[0]); interp(x, p[0].cumsum(), p[2], -1, 9); interp(v, p[0, :1], p[1, :1])
interp(x, p[1], p[0], period=3); interp(s, p[0].cumsum(), v, left=7)
""",
    "sets": """
unique(x); unique(w); unique(e); unique(s); unique(x, axis=0); unique(o, axis=1); unique(m)
unique(w, return_index=True, return_inverse=True, return_counts=True)
unique(x, return_index=True, return_inverse=True, return_counts=True)
unique(m, return_counts=True, axis=1); unique(m, return_inverse=True, axis=0)
unique(c, axis=-1, return_index=True); unique(e, return_counts=True)
unique_all(w); unique_counts(x); unique_inverse(w)
isin(x, v); isin(v, x); isin(x, v, invert=True); isin(x, 2); isin(x, e)
isin(w, w); isin(s, x)
intersect1d(x, w); intersect1d(w, x, return_indices=True); intersect1d(x, e); intersect1d(i, k)
setdiff1d(x, w); setdiff1d(w, v); setdiff1d(x, e); setdiff1d(i, k); setdiff1d(e, x)
setxor1d(x, w); setxor1d(w, v); setxor1d(i, k)
union1d(x, w); union1d(x, e); union1d(i, k); union1d(x, 2.5)
""",
    "histograms": """
bincount(i); bincount(i, minlength=6); bincount(i, v); bincount(i, minlength=2)
histogram(x, 4); histogram(x, bins=p[0].cumsum()); histogram(x, 4, (0, 2))
histogram(x, 4, weights=p); histogram(v, 3, weights=v)
histogram_bin_edges(x); histogram_bin_edges(x, 3, (0, 1)); histogram_bin_edges(x, p[0].cumsum())
histogram2d(v, v, 3); histogram2d(v, x[0], [2, 3]); histogram2d(v, v, 2, [(0, 1), (0, 4)])
histogram2d(v, v, 3, weights=v)
""",
    "padding": """
pad(x, 1); pad(x, (1, 2)); pad(x, ((1, 0), (0, 3))); pad(x, 1, constant_values=2)
pad(v, 2, constant_values=(1, 2)); pad(x, 1, constant_values=((1, 2), (3, 4))); pad(e, 1)
pad(x, 0); pad(x, {0: 1, 1: (0, 2)})
pad(x, 2, 'edge'); pad(x, 5, 'wrap'); pad(x, 3, 'reflect'); pad(x, 5, 'symmetric')
pad(x, 2, 'reflect', reflect_type='odd'); pad(x, 2, 'symmetric', reflect_type='odd')
pad(o, 2, 'reflect'); pad(x, 2, 'maximum'); pad(x, 2, 'minimum'); pad(x, 2, 'mean')
pad(x, ((0, 1), (2, 0)), 'maximum', stat_length=2); pad(x, 1, 'median')
pad(x, 2, 'mean', stat_length=1)
pad(x, 2, 'linear_ramp'); pad(x, (2, 1), 'linear_ramp', end_values=(1, 3))
""",
    "editing": """
delete(v, 1); delete(x, 1, axis=0); delete(x, [0, 2], 1); delete(x, i); delete(v, -1)
delete(x, slice(0, 2), axis=1); delete(v, []); delete(x, [True, False, True], 0)
insert(v, 1, 2); insert(x, 1, v, axis=0); insert(x, [0, 2], 1, axis=1); insert(v, i[1:3], v[:2])
insert(x, -1, 0, 0); insert(v, i, v); insert(x, slice(0, 2), 1, 1); insert(x, 2, 3); insert(v, 4, 1)
insert(e, 0, v[:3], 1); insert(x, [1], v[:3, None], 1)
resize(x, (2, 3)); resize(x, (5, 4)); resize(v, 7); resize(s, (2, 2)); resize(x, (0, 2))
resize(e, (2, 2))
trim_zeros(v); trim_zeros(v * 0); trim_zeros(w, 'f'); trim_zeros(w, 'b')
extract(m, x); extract(x, x); compress([True, False, True], x, 0); compress(m[0], x, axis=1)
compress([True, False], x); compress([False, True, True], c, axis=-2)
select([m, x != 0], [x, y]); select([m], [x], 7); select([m, m[0]], [x, 2.5])
select([m[0]], [v], s)
choose(i, (v, v, 2 * v)); choose(i, [1, 2, 3]); choose(5 * i, [v, v], mode='wrap')
choose(5 * i, (1, 2), mode='clip'); choose(m, (x, y)); choose(0, [x, y])
piecewise(x, [m], [1, 2]); piecewise(x, [m, x == y], [lambda a: a + a, 1]); piecewise(x, [m], [1])
piecewise(v, m[0], [lambda a: a * a]); piecewise(s, [True, False], [1, 2, 3])
block(x); block([[x, y], [y, x]]); block([v, v]); block([[x], [y]]); block([v, s]); block([[[x]]])
block([[1, v], [v, 2]])
""",
    "correlations": """
convolve(v, v); convolve(v, v[:2]); convolve(v[:2], v); convolve(x[0], v, 'same')
convolve(v, x[0, :3], 'valid'); convolve(v[:3], x[0], mode='same'); convolve(v, i)
correlate(v, v); correlate(v, v[:2]); correlate(v[:2], x[0]); correlate(x[0], v, 'same')
correlate(v, x[0, :3], 'full'); correlate(v[:3], x[0], mode='same'); correlate(x[0, :2], v, 'full')
cov(x); cov(v); cov(x, rowvar=False); cov(x, y); cov(v, x[0]); cov(x, bias=True); cov(x, ddof=0)
cov(x, fweights=i); cov(x, aweights=p[0]); cov(x, fweights=i + 1, aweights=p[0], ddof=2)
cov(x, dtype='float64'); cov(v, ddof=2)
corrcoef(x); corrcoef(x.T, rowvar=False); corrcoef(x, y); corrcoef(v, x[0]); corrcoef(v)
""",
    "number_parts": """
gcd(12, 18); gcd(x, y); gcd(x, v); gcd(0, 0); gcd(6, x); lcm(4, 6); lcm(x, y); lcm(0, 0); lcm(3, x)
bitwise_count(x); bitwise_count(7); bitwise_count(s); packbits(m); packbits(m, axis=0)
packbits(m, 1, 'little'); packbits(x); unpackbits(x); unpackbits(x, axis=0)
unpackbits(x, 1, bitorder='little'); unpackbits(x, count=11); unpackbits(x, 0, -3)
unpackbits(x, 1, 40)
nextafter(x, y); nextafter(x, 2); nextafter(1, 2); nextafter(1.5, 0); nextafter(x, x)
spacing(x); spacing(1.5); spacing(0.0); spacing(s); spacing(e)
ldexp(x, 3); ldexp(x, -k[0]); ldexp(2.5, i); ldexp(3, 2); ldexp(s, -2000)
frexp(x); frexp(s); frexp(2.5); frexp(e); frexp(y); frexp(0)
unwrap(x); unwrap(v, axis=0); unwrap(x, 4); unwrap(x, period=2); unwrap(x, axis=0, period=1.5)
unwrap(e); unwrap(x, 3, 0, period=5)
""",
    "vectors": """
cross(x[:, :3], y[:, :3]); cross(x[:, :2], y[:, :2]); cross(x[:, :3], y[:, :2])
cross(x[:, :2], v[:3]); cross(x, y, axis=0); cross(x, y.T, 0, 1, 0); cross(x, y, axisa=0, axisb=0)
cross(i[1:], v[1:]); matvec(x, v); matvec(c, v); matvec(c, y[:2]); matvec(c, c[:, 0])
vecmat(v, x.T); vecmat(y[:2, :3], c); vecmat(v[:3], c); diagflat(v); diagflat(x, 1); diagflat(s, -2)
diagflat(e)
""",
    "grids": """
logspace(0, 2, 4); logspace(0, 1, 3, False); logspace(0, 3, 4, base=2); logspace(s, v, 3)
logspace(0, 2, 3, dtype='int32'); logspace(v, s, 3, axis=1); geomspace(1, 100, 3)
geomspace(1, 8, 4, False); geomspace(-1, -8, 4); geomspace(s, v, 3); geomspace(v, v, 2, axis=-1)
geomspace(1, 16, 5, dtype='int32'); geomspace(1, 2, 1); geomspace(2, 4, 0)
ravel_multi_index((i, i), (3, 4)); ravel_multi_index((i, i), (3, 4), order='F')
ravel_multi_index((5 * i, i), (3, 4), mode='wrap'); ravel_multi_index((i, -i), (3, 2), 'clip')
ravel_multi_index((i, 5 * i), (3, 4), ('raise', 'clip')); ravel_multi_index((1, 2), (3, 4))
unravel_index(i, (3, 4)); unravel_index(7, (3, 4)); unravel_index(k + 3, (2, 2, 3))
unravel_index(i, 5)
""",
    "polynomials": """
poly(v); poly(i); poly(x[:, :3]); poly(e[0]); poly(p[0]); polymul(v, x[0]); polymul(v, i)
polymul(2, v); polydiv(p[1], p[0, :2]); polydiv(v, p[1, :3]); polydiv(p[0, :2], v)
polyfit(p[0], v, 1); polyfit(p[0], v, 0); polyfit(p[0], v, 1, w=p[1])
vander(v); vander(v, 3); vander(v, increasing=True); vander(v, 0); vander(i)
""",
}
