"""Answers to real golds that a marker would take, and others that a marker would not."""

# fmt: off
RIGHT: dict[str, list[str]] = {
    r"\frac{1}{2}": [
        r"\frac12", "1/2", "0.5", ".5", r"\tfrac12", r"\dfrac{1}{2}", r"\frac{2}{4}", r"50\%",
        r"\left(\frac{1}{2}\right)", "2^{-1}", r"{1 \over 2}", r"\frac{1}{2}\text{ cm}", "0.50",
        r"x=\frac{1}{2}", r"\boxed{\frac{1}{2}}", r"\frac{1.0}{2}", r"\cfrac{1}{2}", "½",
        "P = 1/2", r"P(A)=\frac12", r"\text{The probability is } \frac{1}{2}",
        r"\displaystyle\frac{1}{2}", r"\frac{1}{2}.", r"$\frac{1}{2}$", r"\frac{\sqrt{4}}{4}",
        "1 / 2", r"\frac { 1 } { 2 }", r"\frac{ 1}{2 }", "(1/2)", r"\mathbf{\frac{1}{2}}",
        r"\frac{\,1}{2\,}", "1/2 ",
    ],
    r"-\frac{\pi}{6}": [
        r"\frac{-\pi}{6}", r"-\pi/6", r"-\frac{1}{6}\pi", r"-\frac{\pi}{6} \text{ radians}",
        r"-\pi / 6", "−π/6", r"\theta = -\frac{\pi}{6}",
    ],
    r"-\frac{3}{8}": [
        r"\frac{-3}{8}", r"\frac{3}{-8}", "-3/8", "-0.375", "-.375", r"- \frac{3}{8}",
        r"−\frac38",
    ],
    "52_8": [
        "52_{8}", "52_{(8)}", r"52_{\text{eight}}", r"52 \text{ (base 8)}",
        r"52_{\text{base }8}", "(52)_8", r"52\text{ in base }8", r"52_{\mathrm{eight}}",
        r"\text{52}_8", "52_{ 8 }",
    ],
    r"\text{(C)}": [
        "C", "(C)", r"\text{C}", r"(\text{C})", r"\textbf{(C)}", r"\mathrm{(C)}",
        r"\textbf{(C)}\ 12", "c", "C.", r"\text{(C) }", r"\boxed{C}", r"\text{C)}",
        r"\textbf{C}", "(C).",
    ],
    r"\text{Evelyn}": [
        "Evelyn", r"\textbf{Evelyn}", r"\mathrm{Evelyn}", "evelyn", r"\text{Evelyn}.",
        r"\textit{Evelyn}", "$Evelyn$", r"\mbox{Evelyn}", r"\text{ Evelyn }", r"\text{evelyn}",
        "{Evelyn}", '"Evelyn"', r"\operatorname{Evelyn}",
    ],
    r"\text{ellipse}": [
        "ellipse", "an ellipse", r"\text{an ellipse}", r"\text{Ellipse}", r"\text{The ellipse}",
    ],
    "(3,4]": [
        r"3<x\le4", r"3 < x \leq 4", r"x \in (3,4]", r"\left(3,4\right]", "(3, 4]",
        r"x\in\left(3,4\right]", r"4 \ge x > 3", r"\{x \mid 3 < x \le 4\}", r"(3,\,4]",
        r"3 < k \leq 4",
    ],
    r"(2,\infty)": [
        "x>2", "2<x", r"(2,+\infty)", r"x \in (2,\infty)", r"(2, \infty)",
        r"\left(2,\infty\right)", r"2 < x < \infty", "(2,∞)", r"x \gt 2",
    ],
    r"(-\infty, 2) \cup (3, \infty)": [
        r"x<2 \text{ or } x>3", r"(3,\infty)\cup(-\infty,2)", r"x \in (-\infty,2)\cup(3,\infty)",
        "x < 2, x > 3", "(-∞,2)∪(3,∞)", r"\left(-\infty,2\right)\cup\left(3,\infty\right)",
        r"x<2 \lor x>3", r"x<2 \quad\text{or}\quad x>3", r"-\infty<x<2 \text{ or } 3<x<\infty",
    ],
    r"x \in [-2,7]": [
        "[-2,7]", r"-2\le x\le 7", r"x\in[-2,7]", r"-2 \leq x \leq 7", r"\left[-2,7\right]",
        "[-2, 7]",
    ],
    r"(-\infty, 0]": [
        r"x\le 0", r"x \leq 0", r"0 \ge x", r"(-\infty,0]",
    ],
    r"$k \geqslant 2$": [
        r"k\ge 2", r"k\geq2", r"[2,\infty)", r"k \in [2,\infty)", r"2\le k",
    ],
    r"1 \pm \sqrt{19}": [
        r"1+\sqrt{19}, 1-\sqrt{19}", r"1-\sqrt{19},1+\sqrt{19}", r"x=1\pm\sqrt{19}",
        r"1+\sqrt{19} \text{ and } 1-\sqrt{19}", r"\{1\pm\sqrt{19}\}", r"\pm\sqrt{19}+1",
        r"1\pm\sqrt{19}", r"x = 1 + \sqrt{19} \text{ or } x = 1 - \sqrt{19}",
        r"x_1=1+\sqrt{19}, x_2=1-\sqrt{19}", r"\{1+\sqrt{19},1-\sqrt{19}\}",
    ],
    r"\{1\pm\sqrt{5},-2\}": [
        r"-2, 1\pm\sqrt5", r"\{-2,1-\sqrt{5},1+\sqrt{5}\}", r"1+\sqrt{5},1-\sqrt{5},-2",
        r"x=-2, 1+\sqrt{5}, 1-\sqrt{5}", r"\left\{ -2, 1 \pm \sqrt{5} \right\}",
    ],
    "1,-2": [
        "-2,1", "x=1,-2", r"x=1 \text{ or } x=-2", r"\{1,-2\}", r"1 \text{ and } -2", "1, -2",
        "x = 1, x = -2", r"-2 \text{ or } 1", r"1\text{ and }-2", r"x\in\{1,-2\}",
        r"\left\{1,-2\right\}", "1 ; -2", "x_1 = 1, x_2=-2", "-2 and 1", "(1,-2)",
        r"1~\text{and}~-2", r"x = 1 \quad \text{or} \quad x = -2", "1.0, -2.0",
    ],
    "6 - 5i": [
        "-5i+6", "6-5i", "6 - 5 i", r"6-5\cdot i", "6+(-5)i", "z=6-5i", r"6-5\mathrm{i}",
    ],
    r"\begin{pmatrix} -1/3 \\ 2/3 \\ 5/3 \end{pmatrix}": [
        r"\begin{bmatrix} -1/3 \\ 2/3 \\ 5/3 \end{bmatrix}",
        r"\begin{pmatrix}-\frac{1}{3}\\ \frac{2}{3} \\ \frac53\end{pmatrix}",
        r"\frac{1}{3}\begin{pmatrix} -1 \\ 2 \\ 5 \end{pmatrix}",
        r"\left(\begin{array}{c}-1/3\\2/3\\5/3\end{array}\right)",
        r"\left( \begin{matrix} -1/3 \\ 2/3 \\ 5/3 \end{matrix} \right)",
        r"\begin{pmatrix}-1/3\\2/3\\5/3\\\end{pmatrix}",
        r"\left(-\frac13,\frac23,\frac53\right)",
        r"\begin{pmatrix} -\dfrac{1}{3} \\[4pt] \dfrac{2}{3} \\[4pt] \dfrac{5}{3} \end{pmatrix}",
        r"\mathbf{v} = \begin{pmatrix} -1/3 \\ 2/3 \\ 5/3 \end{pmatrix}",
        r"\langle -1/3, 2/3, 5/3 \rangle",
    ],
    r"\begin{pmatrix} -1 & 0 \\ 0 & -1 \end{pmatrix}": [
        r"\begin{bmatrix}-1&0\\0&-1\end{bmatrix}", r"-\begin{pmatrix}1&0\\0&1\end{pmatrix}",
        r"\mathbf{A}=\begin{pmatrix} -1 & 0 \\ 0 & -1 \end{pmatrix}",
    ],
    "5x - 7y + 11z + 4 = 0": [
        "-5x+7y-11z-4=0", "5x-7y+11z=-4", "10x-14y+22z+8=0", "7y = 5x + 11 z + 4",
        "5x - 7y + 11z + 4 = 0.",
    ],
    "y = 2x + 3": [
        "y=3+2x", "2x+3", "2x - y + 3 = 0", "y-2x=3", "y = 2 x+3", "y=2(x+1.5)", "y = 2x+3.",
    ],
    "x=5": [
        "5", "x = 5", "5.", "x=5.0", r"\frac{10}{2}", r"x = \frac{10}{2} = 5",
    ],
    "4.5e33": [
        r"4.5\times 10^{33}", r"4.5 \cdot 10^{33}", "4.5E+33", "4.5E33", "4.5*10^33",
        "4.5×10^{33}", r"4.5\times10^{33} \text{ erg/s}",
        r"4.5 \times 10^{33}\ \mathrm{erg\ s^{-1}}", r"4.5 \times 10^{33} \, \text{ergs/s}",
        r"4.5\times 10^{33}\mathrm{~erg} / \mathrm{s}", r"45\times10^{32}",
        r"0.45 \times 10^{34}", r"4.50\times 10^{33}", r"\approx 4.5 \times 10^{33}",
        r"L = 4.5\times 10^{33}", "4.5 × 10³³", r"4.5\,\mathrm{e}33", r"4.5\text{e}33",
        "4500000000000000000000000000000000", r"4.5 \times 10^{33} \mathrm{~W}",
        r"{4.5 \times 10^{33}}", r"4.5 \times {10}^{33}", r"4.5 \times 10 ^ {33}",
        r"4.5\times 10^{+33}", "4.5e+33", "4.5x10^33", r"4.5 \times 10^{33} \text{ cm}^{-3}",
        r"4.5 \times 10^{33} \text{ kg m}^2\text{s}^{-2}", r"4.5\cdot10^{33}~\text{K}",
    ],
    "1e-5": [
        "10^{-5}", r"1 \times 10^{-5}", "0.00001", r"1.0\times10^{-5}", r"1\cdot 10^{-5}",
        ".00001", r"10^{-5} \text{ m}", "1e-05", "1.0e-5",
    ],
    r"5.4 \text{ cents}": [
        "5.4", r"5.4 \text{ cents}", r"5.4\text{ cents}", "5.4 cents", r"5.4 \mathrm{~cents}",
        "5.40", r"5.4 \textrm{ cents}", r"5.4\ \text{cents}", r"5.4\text{ cents per mile}",
        r"\frac{27}{5}", r"5.4 \text{cents}", r"\text{5.4 cents}",
    ],
    r"864 \mbox{ inches}^2": [
        "864", r"864 \text{ in}^2", r"864 \text{ square inches}", r"864\text{ inches}^2",
        r"864\mathrm{~in}^{2}", r"864 \text{ in.}^2", r"864 \, \text{in}^2", r"864\text{ sq in}",
        r"864 \text{ inches squared}", r"864\text{ inches}^{2}", r"864\;\text{inches}^2",
        r"864\text{ in}^2", r"864 \text{ inches}^{2}", r"864~\text{in}^2",
        r"864\ \text{square inches}",
    ],
    r"\$32,\!348": [
        "32348", "32,348", r"\$32,348", r"\$32348", "32{,}348", r"32,\!348", "$32,348$",
        r"\$32{,}348", r"32348 \text{ dollars}", r"\text{\$}32,348", r"\$ 32,348", "32,348.00",
        r"\$32,348.00", r"32\,348", r"\$32348.00", r"32{,}348 \text{ dollars}",
    ],
    r"\$18.90": [
        "18.90", "18.9", r"\$18.9", r"18.90 \text{ dollars}", r"\$ 18.90", r"18.90\text{ USD}",
        r"\text{\$18.90}",
    ],
    r"11,\! 111,\! 111,\! 100": [
        "11111111100", "11,111,111,100", "11{,}111{,}111{,}100", r"11\,111\,111\,100",
        "11 111 111 100", r"11,\!111,\!111,\!100",
    ],
    r"10,\!080": [
        "10080", "10,080", "10 080", r"10\,080", "10{,}080", r"1.008\times10^4", "10080.0",
    ],
    r"1\frac{4}{5}": [
        r"\frac{9}{5}", "1.8", "9/5", r"1 \frac{4}{5}", r"1\tfrac45", "1 4/5", r"1+\frac{4}{5}",
        "1.80",
    ],
    r"137 \frac{1}{2}": [
        "137.5", r"\frac{275}{2}", r"137\frac12", "137 1/2",
    ],
    r"90^\circ": [
        "90", "90°", r"90 \text{ degrees}", r"90^{\circ}", "90 degrees", r"90\degree",
        r"90^\circ.", r"\angle ABC = 90^\circ", r"90\text{ deg}", r"\theta = 90^{\circ}",
        r"90.0^\circ", r"90\text{°}", r"{90}^{\circ}", r"90^ \circ", r"\text{90}^\circ",
    ],
    r"\frac{270}7\text{ degrees}": [
        r"\frac{270}{7}", r"\frac{270}{7}^\circ", r"\frac{270}{7}^{\circ}",
        r"\left(\frac{270}{7}\right)^\circ", r"38\frac{4}{7}", "270/7",
        r"\frac{270}{7} \text{ degrees}",
    ],
    "62.5%": [
        r"62.5\%", "62.5", r"62.5 \%", r"62.5\text{ percent}", "0.625", "62.5 percent",
        r"62.50\%", r"\frac{5}{8}", r"62.5\text{\%}",
    ],
    r"$8 \%$": [
        r"8\%", "8", "8%", "0.08",
    ],
    r"3\sqrt{13}": [
        r"\sqrt{117}", r"3\cdot\sqrt{13}", r"3 \sqrt{13}", r"\sqrt{13}\cdot 3",
        r"3\sqrt{13}\text{ units}", "3*sqrt(13)", "3√13", r"3\times\sqrt{13}", r"3\sqrt {13}",
        r"3\,\sqrt{13}", "10.816653826391967",
    ],
    r"11\sqrt2": [
        r"11\sqrt{2}", r"11 \sqrt{2}", r"\sqrt{242}",
    ],
    r"\frac{\sqrt{3}}{3}": [
        r"\frac{1}{\sqrt{3}}", r"\sqrt{3}/3", r"\frac{\sqrt3}{3}", r"\frac13\sqrt3",
        r"\sqrt{\frac{1}{3}}", r"\frac{\sqrt{3}}3", "3^{-1/2}", r"\dfrac{\sqrt{3}}{3}",
    ],
    "(a+5)(b+2)": [
        "(b+2)(a+5)", "ab+2a+5b+10", "(a + 5)(b + 2)", "(5+a)(2+b)", r"(a+5)\cdot(b+2)",
        r"(a+5)\left(b+2\right)",
    ],
    "2k+2": [
        "2(k+1)", "2+2k", "2k + 2", r"2\cdot(k+1)", "f(k)=2k+2",
    ],
    "x^3+3x-6": [
        "3x+x^3-6", "x^{3}+3x-6", "p(x)=x^3+3x-6", "x^3 + 3x - 6", "-6+3x+x^3",
    ],
    r"\cot x": [
        r"\cot(x)", r"\frac{\cos x}{\sin x}", r"\frac{1}{\tan x}", r"\cot{x}", "cot x",
        r"\cot\left(x\right)",
    ],
    "(6,31,-1)": [
        "(6, 31, -1)", r"\left(6,31,-1\right)", "(a,b,c)=(6,31,-1)", "6,31,-1", r"(6,\,31,\,-1)",
        r"\left( 6, 31, -1 \right)", "(A,B,C) = (6,31,-1)", r"\langle 6,31,-1\rangle",
        "(6.0,31,-1)", "x = (6,31,-1)",
    ],
    r"\left( 3, \frac{\pi}{2} \right)": [
        r"(3,\pi/2)", r"(3, \frac{\pi}{2})", r"\left(3,\dfrac{\pi}{2}\right)",
        r"(r,\theta)=(3,\frac{\pi}{2})", r"(3,\tfrac{\pi}2)", r"(3, \frac{1}{2}\pi)",
    ],
    "$(1,8,19), (2,7,13), (4,5,7)$": [
        "(4,5,7),(1,8,19),(2,7,13)", r"\{(1,8,19),(2,7,13),(4,5,7)\}",
        r"(1,8,19) \text{ and } (2,7,13)\text{ and } (4,5,7)",
        "(1, 8, 19), (2, 7, 13), (4, 5, 7)", "(x,y,z) = (1,8,19), (2,7,13), (4,5,7)",
        r"(1,8,19),(2,7,13),\text{ and }(4,5,7)",
    ],
    "$(3,2),(-3,2),(3,-2),(-3,-2)$": [
        r"(\pm 3, \pm 2)", r"(\pm3,2),(\pm3,-2)", r"(3,\pm2),(-3,\pm2)",
    ],
    "$69$,$84$": [
        "69,84", "84, 69", r"69 \text{ and } 84", r"\{69,84\}", r"69 \text{ or } 84",
    ],
    "$221,$8$": [
        "221,8", "8, 221", r"8 \text{ and } 221",
    ],
    "$f(x)=2 x$": [
        "f(x)=2x", "2x", r"f(x) = x\cdot 2", "f(t)=2t", "f(n)=2n", r"f(x)=2x \text{ for all } x",
        r"f(x)=2x \quad \forall x \in \mathbb{R}", "f(x) = 2x.", r"f(x)\equiv 2x",
    ],
    "$f(n)=n$, $g(n)=1$": [
        "f(n)=n, g(n)=1", "g(n)=1,f(n)=n", r"f(n)=n \text{ and } g(n)=1", r"f(n) = n,\ g(n) = 1",
    ],
    "$f(x)=x$,$f(x)=2-x$": [
        "f(x)=2-x,f(x)=x", r"f(x)=x \text{ or } f(x)=2-x", r"f(x)=x,\; f(x)=-x+2",
        r"f(x) = x \text{ and } f(x) = 2 - x", "x, 2-x",
    ],
    r"$m_{\max }=n^{2}-n-1$": [
        "n^2-n-1", "m=n^2-n-1", r"m_{\max}=n^2-n-1", r"m_{\text{max}} = n^2 - n - 1",
    ],
    r"$(-\infty, 0) \cup\{1\}$.": [
        r"(-\infty,0)\cup\{1\}", r"x<0 \text{ or } x=1", r"\{1\}\cup(-\infty,0)",
        r"x \in (-\infty, 0) \cup \{1\}",
    ],
    "$t(0,4]$": [
        "(0,4]", r"0<t\le4", r"t\in(0,4]", r"0 < t \leq 4",
    ],
    r"$\frac{1}{2 n+2}$": [
        r"\frac{1}{2(n+1)}", "1/(2n+2)", r"\frac{1}{2}\cdot\frac{1}{n+1}", "(2n+2)^{-1}",
        r"\frac{1}{2n+2}",
    ],
    "$2^{1009}$": [
        "2^{1009}", r"2 \cdot 2^{1008}", r"4^{504}\cdot 2",
    ],
    r"$\binom{2n}{n}$": [
        r"\frac{(2n)!}{(n!)^2}", r"\dbinom{2n}{n}", r"\frac{(2n)!}{n! n!}", r"{2n \choose n}",
        r"\tbinom{2n}{n}", r"\frac{(2n)!}{n!^2}",
    ],
    r"$m n-\lfloor m / 2\rfloor$": [
        r"mn-\left\lfloor\frac{m}{2}\right\rfloor", r"mn - \lfloor \frac{m}{2} \rfloor",
        r"n m-\lfloor m/2\rfloor",
    ],
    r"$\lceil n / 2\rceil+1$": [
        r"\left\lceil\frac{n}{2}\right\rceil+1", r"1+\lceil n/2\rceil",
        r"\lfloor (n+1)/2 \rfloor + 1", r"\lceil \frac{n}{2} \rceil + 1",
    ],
    r"$\frac{n(n+1)}{2}$": [
        "n(n+1)/2", r"\frac{n^2+n}{2}", r"\frac{1}{2}n(n+1)", r"\binom{n+1}{2}",
        r"\frac12 n (n+1)", r"\dfrac{n(n+1)}{2}", r"\frac{(n+1)n}{2}",
    ],
    r"$\frac{4 \cdot 999^{4}}{27}$": [
        r"\frac{4\times 999^4}{27}", r"4\cdot 37 \cdot 999^3", r"\frac{4}{27}\cdot999^4",
    ],
    r"$2021 \cdot 505 \cdot 337$": [
        "343943885", r"2021\times505\times337", r"337\cdot505\cdot2021",
    ],
    r"$\frac{8}{\sqrt[3]{7}}$": [
        r"8\cdot 7^{-1/3}", r"\frac{8}{7^{1/3}}", r"\frac{8\sqrt[3]{49}}{7}", r"8/\sqrt[3]{7}",
    ],
    r"$\frac{\log 2}{\log 2-\log 3}$": [
        r"\frac{\ln 2}{\ln 2-\ln 3}", r"\frac{\log 2}{\log(2/3)}", r"\log_{2/3} 2",
        r"\frac{\ln 2}{\ln(2/3)}",
    ],
    r"$2,-\log _{10} 250$": [
        r"-\log_{10} 250, 2", r"2, -\log_{10}250", r"2,-\log_{10}(250)",
    ],
    "np.arcsin(10/13)": [
        r"\arcsin(10/13)", r"\sin^{-1}(10/13)", r"\arcsin\frac{10}{13}",
        r"\arcsin\left(\frac{10}{13}\right)", r"\sin^{-1}\left(\frac{10}{13}\right)",
        "arcsin(10/13)", r"\arcsin{\frac{10}{13}}",
    ],
    "-1./3": [
        r"-\frac{1}{3}", "-1/3", r"-\frac13", r"\frac{-1}{3}",
    ],
    r"\frac{1}{2}(\exp{a*t} + \exp{-a*t})": [
        r"\cosh(at)", r"\frac{e^{at}+e^{-at}}{2}", r"\frac12 (e^{at}+e^{-at})", r"\cosh at",
        r"\frac{1}{2} e^{a t}+\frac{1}{2} e^{-a t}",
    ],
    r"\frac{d x}{d t}=k x-a": [
        "x'=kx-a", r"\dot{x}=kx-a", r"\frac{dx}{dt}=kx-a", r"\frac{dx}{dt} = -a+kx",
        r"\frac{dx}{dt}-kx=-a",
    ],
    r"y^{\prime}+r y-r x(t)=0": [
        "y'+ry-rx(t)=0", "y' + r y = r x(t)", "y'=rx(t)-ry", r"\frac{dy}{dt}+ry-rx(t)=0",
    ],
    "MR=SRMC": [
        "SRMC=MR", "MR = SRMC", r"\text{MR}=\text{SRMC}", r"\text{MR = SRMC}",
    ],
    "E_{1},E_{2}": [
        "E_1, E_2", "E_2,E_1", r"E_1 \text{ and } E_2", r"\{E_1,E_2\}",
    ],
    r"\hbar \omega(v+1 / 2)-\frac{E_{0}^{2} e^{2}}{2 m \omega^{2}}": [
        r"\hbar\omega\left(v+\frac{1}{2}\right)-\frac{e^2E_0^2}{2m\omega^2}",
        r"(v+\frac12)\hbar\omega-\frac{(eE_0)^2}{2m\omega^2}",
    ],
    "X_{d}=125-1.25 P": [
        "125-1.25P", "X_d=125-1.25P", r"X_d = 125 - \frac{5}{4}P",
    ],
    "I(0) e^{-\\frac{t}{R C}}\n": [
        "I(0)e^{-t/RC}", "I(0) e^{-t/(RC)}", r"I(0)\exp\left(-\frac{t}{RC}\right)",
        r"I(0)\, e^{-\frac{t}{RC}}",
    ],
    r"\frac{e^{t}} {3}+c e^{-2 t}": [
        r"\frac{1}{3}e^t+ce^{-2t}", r"ce^{-2t}+\frac{e^t}{3}",
    ],
    "e^{t} / 3": [
        r"\frac{e^t}{3}", r"\frac13 e^t", r"\frac{1}{3}e^{t}", "e^t/3",
    ],
    r"\sqrt{4 \pi G \rho_{0} r_{0}^{2}}": [
        r"2 r_0\sqrt{\pi G\rho_0}", r"\sqrt{4\pi G\rho_0}r_0", r"r_0 \sqrt{4\pi G\rho_0}",
        r"v_c=\sqrt{4\pi G \rho_0 r_0^2}",
    ],
    "0.006": [
        r"6\times10^{-3}", "6e-3", ".006", "0.0060", r"\frac{3}{500}",
        r"6 \times 10^{-3} \text{ cm}",
    ],
    ".0000672": [
        "0.0000672", r"6.72\times10^{-5}", ".0000672", "6.72e-5",
    ],
    "27.0": [
        "27", "27.0", "27.", r"\frac{27}{1}", "27.00",
    ],
    "025": [
        "25", "025", "25.0", "25.", r"\text{25}",
    ],
    "+2": [
        "2", "+2", "2.0",
    ],
    r"$100,\frac{1}{100}$": [
        r"\frac{1}{100},100", "0.01, 100", r"100 \text{ and } 0.01",
        r"x=100 \text{ or } x=\frac{1}{100}",
    ],
    r"$90^{\circ}$,$60^{\circ}$": [
        r"90^\circ, 60^\circ", "60,90", r"90^\circ \text{ and } 60^\circ", "60°, 90°",
        r"90 \text{ degrees}, 60\text{ degrees}",
    ],
    r"$(45^{\circ}, 60^{\circ}),(135^{\circ}, 60^{\circ})$": [
        "(135,60),(45,60)", r"(45^\circ,60^\circ),(135^\circ,60^\circ)",
    ],
    "45": [
        r"45 \text{ minutes}", r"45\text{ min}", "45 minutes", r"45\%", r"45^\circ",
        r"\text{45}", r"45 \text{ km/h}", r"45\,\text{cm}^2", r"45\,\mathrm{m/s}^2",
        r"45 \mathrm{~m} / \mathrm{s}", "x=y=45", r"\$45", "n = 45",
        r"45 \text{ (approximately)}", r"\approx 45", r"45\ \text{units}", r"45 \text{ people}",
        r"\mathbf{45}", r"\textbf{45}", r"{\bf 45}", r"\bf 45", r"\underline{45}", "45_{10}",
        "+45", "45.000", r"\frac{45}{1}", r"\frac{90}{2}", r"\sqrt{2025}", r"45\cdot 1",
        r"5\cdot 9", r"5 \times 9", r"3^2\cdot5", "45,", "45;", r"\left(45\right)", "[45]",
        r"\{45\}", "|45|", r"\lvert -45 \rvert", "50-5", "40+5", "a+b=45", "AB=45",
        r"\angle ABC=45", r"\text{Area}=45", r"\text{The answer is }45", r"45 \text{ ways}",
        r"\color{red}{45}", r"\color{red} 45", r"\textcolor{blue}{45}", r"45\quad", "45 \\\\",
        "~45", r"\hspace{1cm}45", r"\large 45", r"\mathrm{45}", r"45\text{.}",
        r"N=45 \text{ students}", r"45 \, ", "m+n=20+25=45", r"\text{Total: } 45", "45",
        r"4.5\times 10^1", "4.5e1", r"\phantom{0}45", "45 ", r"\!45", r"\fbox{45}",
    ],
    r"\left( \frac{3}{2}, -13 \right)": [
        "(1.5,-13)", "(3/2, -13)", r"\left(\dfrac32,-13\right)",
        r"(x,y)=\left(\frac{3}{2},-13\right)", r"\left(1.5, -13\right)", r"x=\frac32, y=-13",
    ],
    r"(-\sqrt{3}, \sqrt{3})": [
        r"-\sqrt{3}<x<\sqrt{3}", r"x\in(-\sqrt3,\sqrt3)",
    ],
    r"\left[ \frac{\pi^2}{8}, \frac{5 \pi^2}{4} \right]": [
        r"[\frac{\pi^2}{8},\frac{5\pi^2}{4}]", r"\frac{\pi^2}{8}\le x\le\frac{5\pi^2}{4}",
        r"[\pi^2/8,5\pi^2/4]", r"\frac{\pi^2}{8} \leq f(x) \leq \frac{5\pi^2}{4}",
    ],
    r"(0,9) \cup (9,36)": [
        r"(9,36)\cup(0,9)", r"0<x<9 \text{ or } 9<x<36", r"x\in(0,9)\cup(9,36)",
        r"\left(0,9\right)\cup\left(9,36\right)", "0 < k < 9 or 9 < k < 36",
    ],
    r"3 \pm 2 \sqrt{2}": [
        r"3+2\sqrt2,3-2\sqrt2", r"3 - 2\sqrt{2}, 3 + 2\sqrt{2}", r"x=3\pm\sqrt8",
        r"3+2\sqrt{2} and 3-2\sqrt{2}", r"x = 3 + 2\sqrt{2}, x = 3 - 2\sqrt{2}",
    ],
    r"288 \pi": [
        r"288\pi", r"288\pi \text{ cubic units}", r"\pi 288", "288π", "904.7786842338604",
        r"288 \pi \text{ cm}^3", "288*pi", r"V=288\pi",
    ],
    r"18+2\pi": [
        r"2\pi+18", r"18 + 2\pi", r"2(9+\pi)", "18+2π", r"2\pi + 18 \text{ units}",
    ],
    r"\frac{20000}{\pi}": [
        r"20000/\pi", r"\frac{20,000}{\pi}", r"\frac{20{,}000}{\pi}", r"20000\pi^{-1}",
    ],
    "8n^2 + 4n + 1": [
        "8n^{2}+4n+1", "4n+8n^2+1", "4n(2n+1)+1",
    ],
    "x^8 + x^7 + x^6 + x^5 + x^4 + x^3 + x^2 + x + 1": [
        "1+x+x^2+x^3+x^4+x^5+x^6+x^7+x^8", r"\frac{x^9-1}{x-1}",
    ],
    ".35625": [
        "0.35625", ".35625", r"\frac{57}{160}", r"3.5625\times10^{-1}",
    ],
    "3, 5, 7": [
        "7,5,3", r"\{3,5,7\}", r"3,5,\text{ and }7", "3, 5, and 7", "p=3,5,7", "3,5 and 7",
        r"\left\{3, 5, 7\right\}", r"3\text{, }5\text{, }7", "x = 3, 5, 7", "3; 5; 7",
        r"\text{3, 5, 7}", r"\boxed{3}, 5, 7",
    ],
    "-2,1": [
        "1,-2", r"x=-2 \text{ or } x=1", r"\{-2, 1\}", "x=-2,1", r"x = -2 \text{ and } x = 1",
        r"-2\text{ or }1", r"x=-2\ \text{or}\ 1",
    ],
    r"$1$,$\frac{3 + \sqrt{21}}{2}$,$\frac{3 - \sqrt{21}}{2}$": [
        r"1, \frac{3\pm\sqrt{21}}{2}", r"\frac{3-\sqrt{21}}{2},1,\frac{3+\sqrt{21}}{2}",
        r"x = 1, \frac{3 \pm \sqrt{21}}{2}",
    ],
    r"$\frac{1}{6} \pi, \frac{5}{6} \pi, \frac{1}{4} \pi, \frac{3}{4} \pi$": [
        r"\frac{\pi}{6},\frac{5\pi}{6},\frac{\pi}{4},\frac{3\pi}{4}",
        r"\frac{\pi}{4},\frac{\pi}{6},\frac{3\pi}{4},\frac{5\pi}{6}",
    ],
    r"$(22+8 \sqrt{6}, 22-8 \sqrt{6})$,$(22-8 \sqrt{6}, 22+8 \sqrt{6})$": [
        r"(22\pm8\sqrt{6},22\mp8\sqrt{6})", r"(22-8\sqrt6,22+8\sqrt6),(22+8\sqrt6,22-8\sqrt6)",
    ],
    "$10^{100}$,$10^{1 / 100}$": [
        "10^{1/100},10^{100}", r"10^{\frac{1}{100}}, 10^{100}",
        r"10^{100} \text{ and } 10^{0.01}", r"\sqrt[100]{10}, 10^{100}",
    ],
    "$(10^{4}, 10^{3}, 10^{10}),(10^{2}, 10^{-1}, 10^{-2})$": [
        "(10000,1000,10^{10}),(100,0.1,0.01)",
    ],
    r"$\quad(2+\sqrt{2}, 1+\sqrt{2})$": [
        r"(2+\sqrt2,1+\sqrt2)", r"(\sqrt{2}+2,\sqrt{2}+1)",
    ],
    r"$[\frac{1}{2}, 8]$": [
        r"\frac12\le x\le 8", "[0.5,8]", r"\left[\frac{1}{2},8\right]", "[1/2, 8]",
    ],
    r"(-\infty,-5)": [
        "x<-5", "x < -5", r"(-\infty, -5)",
    ],
    "$-1$,$2$,$-2$": [
        r"-1,\pm2", "2,-2,-1", r"\{-2,-1,2\}", r"x=-1, x=\pm 2",
    ],
    "1,-1,7,-7": [
        r"\pm1,\pm7", "-7,-1,1,7", r"\pm 1, \pm 7", r"n=\pm1,\pm7",
    ],
    r"2.2 \tau": [
        r"2.2\tau", r"\tau\cdot2.2", r"2.20 \tau", r"\frac{11}{5}\tau", r"t_r = 2.2\tau",
    ],
    "7.6 Z": [
        "7.6Z", r"Z\cdot7.6", "7.60 Z",
    ],
    r"\frac{37}{4} m": [
        "9.25m", r"\frac{37m}{4}", "37m/4", "9.25 m", r"\frac{37}{4}m",
    ],
    "-10": [
        "-10", "-10.0", r"-10 \text{ m}", "−10", r"-\,10", "- 10",
    ],
    r"100 p^{\frac{1}{2}}": [
        r"100\sqrt{p}", "100 p^{1/2}", "100p^{0.5}",
    ],
    r"-\frac{1}{2} X^{-\frac{1}{2}}": [
        r"-\frac{1}{2\sqrt{X}}", r"-\frac12X^{-1/2}", "-0.5X^{-0.5}",
    ],
    r"\omega_{n}^{2} e^{-\zeta \omega_{n} t} \cos \left(\omega_{n} \sqrt{1-\zeta^{2}} t\right)-\frac{\zeta \omega_{n}^{2}}{\sqrt{1-\zeta^{2}}} e^{-\zeta \omega_{n} t} \sin \left(\omega_{n} \sqrt{1-\zeta^{2}} t\right)": [  # noqa: E501
        r"\omega_n^2e^{-\zeta\omega_nt}\left[\cos(\omega_n\sqrt{1-\zeta^2}t)-\frac{\zeta}{\sqrt{1-\zeta^2}}\sin(\omega_n\sqrt{1-\zeta^2}t)\right]",
    ],
    r"\frac{s+\sigma}{(s+\sigma)^{2}+\omega_{d}^{2}}": [
        r"\frac{s+\sigma}{s^2+2\sigma s+\sigma^2+\omega_d^2}",
    ],
    "(1 - 3e^{-2t} + 2e^{-5t}) u(t)": [
        "u(t)(1-3e^{-2t}+2e^{-5t})", "(1-3e^{-2t}+2e^{-5t})u(t)",
        "u(t)-3e^{-2t}u(t)+2e^{-5t}u(t)",
    ],
    r"m_{p} c^{2}\left(\gamma^{2}-1\right) \sin ^{2} \theta": [
        r"m_pc^2(\gamma^2-1)\sin^2\theta", r"(\gamma^2-1)m_p c^2\sin^2(\theta)",
    ],
    r"\frac{1}{\sqrt{2}}c": [
        r"\frac{c}{\sqrt{2}}", r"\frac{\sqrt2}{2}c", r"c/\sqrt{2}", r"\frac{\sqrt{2}c}{2}",
    ],
    r"\frac{a M^{1 / 3}}{G M^{2 / 3}+b}": [
        r"\frac{aM^{1/3}}{b+GM^{2/3}}", r"R=\frac{aM^{1/3}}{GM^{2/3}+b}",
    ],
    r"$\frac{d !}{2 k(d-k) !}$": [
        r"\frac{d!}{2k(d-k)!}", r"\frac{d!}{2k\cdot(d-k)!}",
    ],
    r"$\left\lfloor\log _{2} n\right\rfloor+1$": [
        r"\lfloor\log_2 n\rfloor+1", r"1+\lfloor\log_2(n)\rfloor", r"\lceil \log_2(n+1)\rceil",
    ],
    r"$x=\frac{1}{6} \pi+\pi k, \frac{1}{3} \pi+\pi k, \frac{2}{3} \pi+\pi k, \frac{5}{6} \pi+\pi k$": [  # noqa: E501
        r"x=\frac{\pi}{6}+k\pi, x=\frac{\pi}{3}+k\pi, x=\frac{2\pi}{3}+k\pi, x=\frac{5\pi}{6}+k\pi",
        r"\frac{\pi}{3}+\pi k,\frac{\pi}{6}+\pi k,\frac{2\pi}{3}+\pi k,\frac{5\pi}{6}+\pi k",
    ],
    r"$\angle B E A_{1}=90$,$\angle A E B_{1}=90$": [
        r"90^\circ, 90^\circ", r"\angle BEA_1=90^\circ, \angle AEB_1=90^\circ",
    ],
    "$n=k+4$": [
        "k+4", "n = 4+k",
    ],
    r"$18.8^{\circ}$": [
        "18.8", "18.8°", r"18.8^\circ",
    ],
    "3.61e2": [
        "361", r"3.61\times10^2", "361.0",
    ],
    "56.0": [
        "56", "56.0", "56.00",
    ],
    "0.10": [
        "0.1", ".1", "10^{-1}",
    ],
    "40_9": [
        "40_{9}", r"40_{\text{nine}}",
    ],
    r"\text{(B)}": [
        r"\textbf{(B)}", "B", r"\text{B}", "(B)", r"\boxed{\textbf{(B)}}", r"\text{(B)}",
        r"\mathbf{B}", r"\text{Option B}", r"\text{B.}",
    ],
    r"\text{east}": [
        r"\text{East}", "East", r"\textbf{east}", r"\text{ east}",
    ],
    "4.03188": [
        "4.03188", r"4.03188 \mathrm{eV}", "4.031880",
    ],
    "-5,7": [
        "7,-5", "(-5,7)",
    ],
    "1002001": [
        "1{,}002{,}001", "1,002,001", r"1\,002\,001", "1001^2", "1 002 001", r"1\ 002\ 001",
        r"1.002001 \times 10^6", "1~002~001",
    ],
}
"""By gold: other ways to write it."""

WRONG: dict[str, list[str]] = {
    "52_8": [
        "52_9", "52", "42", "25_8", "53_8", "52_{7}", "520_8", "42_{10}", "-52_8",
    ],
    "6 - 5i": [
        "6+5i", "-6-5i", "5-6i", "6-5", "6 - 6i",
    ],
    "6m": [
        "6", "6n", "5m", "6m^2", "m",
    ],
    "(3,4]": [
        "[3,4]", "(3,4)", "[3,4)", r"\{3,4\}", r"3\le x\le 4", "3<x<4", "(4,3]", "(3,5]", "x>3",
        "3,4",
    ],
    r"(2,\infty)": [
        r"[2,\infty)", r"x\ge2", r"(-\infty,2)", "x<2", "(2,3)", r"(3,\infty)", "2",
    ],
    "(-2,1)": [
        "(1,-2)", "[-2,1]", "(-2,1]", r"\{-2,1\}", "(2,1)", "1,-2",
    ],
    "1,-2": [
        "1,2", "1", "-2", "1,-2,0", "-1,2", "1,-2,-2", "[1,-2]", "(-2,1)",
    ],
    "-2,-2": [
        "-2", "2,-2", "-2,-2,-2", "{-2}",
    ],
    "$16,3,1,1$": [
        "16,3,1", "16,3", "16,1,1,1", "16,3,3,1",
    ],
    "4.5e33": [
        "4.5", r"4.5\times10^{32}", "4.6e33", "4.5e-33", "5e33", r"4.5\cdot 33", "45e33",
    ],
    "2.88e-19": [
        "5.1e-20", "2.89e-19", "0", "2.88e-20", r"2.88 \times 10^{19}",
    ],
    "2.7778e-6": [
        "2.7779e-6", "0.0000028", "2.78e-6",
    ],
    "0.006": [
        "0.0061", "0.06", "0.0006", "0.007",
    ],
    "13535": [
        "13536", "13534", "13535.5", "1353500", "135.35", "13,536", "13535.1",
    ],
    "3986729": [
        "3986729.5", "3986728", "3986730", "39867290",
    ],
    r"90^\circ": [
        r"91^\circ", r"90 \text{ radians}", r"\frac{\pi}{3}", "180-91",
    ],
    r"5.4 \text{ cents}": [
        r"5.4 \text{ dollars}", "5.5", "540", "0.054",
    ],
    r"15\mbox{ cm}^2": [
        r"15 \text{ m}^2", "16", r"15 \text{ inches}^2",
    ],
    r"\text{(C)}": [
        "B", "(B)", r"\text{(A)}", "A", "D", r"\text{(B)}", "CD", "3",
    ],
    r"\text{Evelyn}": [
        "Debra", r"\text{Evely}", "E", r"\text{not Evelyn}", r"\text{Evelyn and Debra}",
    ],
    r"\text{even}": [
        "odd", r"\text{odd}", r"\text{neither}", r"\text{uneven}", "0",
    ],
    "x=5": [
        "x=-5", "y=6", "x=5.1", "x>5", "x=5,6", "5x", "y=5",
    ],
    "y = 2x + 3": [
        "y=2x-3", "y=3x+2", "2x+4", "y=-2x+3", "x=2y+3", "y=2x",
    ],
    "5x - 7y + 11z + 4 = 0": [
        "5x-7y+11z+5=0", "5x+7y+11z+4=0", "5x - 7y + 11z + 4", "5x-7y+11z-4=0", "0",
    ],
    "p - q": [
        "q-p", "p+q", "p", "p-r", "P-Q",
    ],
    "3R^2": [
        "3r^2", "3R", "3R^3", "R^2",
    ],
    r"$\lfloor\frac{2 n-1}{5}\rfloor$": [
        r"\lfloor\frac{2n}{5}\rfloor", r"\frac{2n-1}{5}", r"\lceil\frac{2n-1}{5}\rceil",
        r"\lfloor\frac{2 n-2}{5}\rfloor",
    ],
    r"$\frac{100!}{2^{50}}$": [
        r"\frac{100!}{2^{50}}+1", "100!", r"\frac{99!}{2^{50}}", r"\frac{50!}{2^{50}}",
    ],
    "$2^{1009}$": [
        "2^{1009}+1", "2^{1008}", "1009^2", "2018",
    ],
    r"\frac{14}{3}": [
        "4.67", "4.6", "4.666", "4.66666", r"\frac{3}{14}", r"-\frac{14}{3}", "4.666666", "14",
        r"\frac{15}{3}", r"4\frac{1}{3}", "4.6666666667%", "466.67",
    ],
    r"\frac{1}{3}": [
        "0.33", "0.333", "0.3", r"\frac{1}{3}x", "33",
    ],
    r"\pi": [
        "3.14", "3.1416", r"\frac{22}{7}", r"2\pi", "180", "3.14159",
    ],
    r"11,\! 111,\! 111,\! 100": [
        "11111111101", "11,111,111,10", "1111111110", "11111111100.5", "11,111,111",
    ],
    "62.5%": [
        r"6250\%", r"0.625\%", r"62.6\%", "625", r"37.5\%", "6250",
    ],
    r"\frac{1}{4}": [
        "25", "4", "0.25x", r"\frac{1}{5}", r"\frac{2}{4}", r"2.5\%",
    ],
    "(6,31,-1)": [
        "(6,31,1)", "(31,6,-1)", "(6,31)", r"\{6,31,-1\}", "(6,31,-1,0)", "[6,31,-1]", "6+31-1",
        "(-1,31,6)", "36",
    ],
    r"\begin{pmatrix} 1/5 \\ -18/5 \end{pmatrix}": [
        r"\begin{pmatrix} 1/5 & -18/5 \end{pmatrix}",
        r"\begin{pmatrix} 1/5 \\ 18/5 \end{pmatrix}",
        r"\begin{pmatrix} -18/5 \\ 1/5 \end{pmatrix}", r"\begin{pmatrix} 1/5 \end{pmatrix}",
        r"\begin{vmatrix} 1/5 \\ -18/5 \end{vmatrix}", r"-\frac{17}{5}",
        r"\begin{pmatrix} 1/5 \\ -18/5 \\ 0\end{pmatrix}",
    ],
    r"1 \pm \sqrt{19}": [
        r"1+\sqrt{19}", r"1-\sqrt{19}", r"\pm\sqrt{19}", r"-1\pm\sqrt{19}", r"1\pm\sqrt{18}",
        r"1 \pm 19",
    ],
    "$f(x)=2 x$": [
        "f(x)=x", "f(x)=2x+1", "f(x)=x^2", "f(x)=2", "2", "f(x)=2y",
    ],
    "$f(x)=x$,$f(x)=2-x$": [
        "f(x)=x", "f(x)=2-x", "f(x)=x, f(x)=2+x",
    ],
    r"(-\infty, 2) \cup (3, \infty)": [
        r"(-\infty,2]\cup[3,\infty)", "(2,3)", "x<2", r"(-\infty,2)\cap(3,\infty)",
        r"(-\infty,3)\cup(2,\infty)", r"x<2 \text{ and } x>4", r"(-\infty, \infty)",
    ],
    r"$k \geqslant 2$": [
        "k>2", r"k\le2", r"k\ge3", "2", "k=2",
    ],
    r"1+\sqrt{3} i": [
        r"1-\sqrt{3}i", r"1+\sqrt{3}", r"\sqrt{3}+i", "1+3i",
    ],
    r"\frac{d x}{d t}=k x-a": [
        r"\frac{dx}{dt}=kx+a", "kx+a", r"\frac{dx}{dt}=ax-k", r"\frac{dt}{dx}=kx-a",
    ],
    "45": [
        "54", "-45", "4.5", "450", "45x", "44", "46", r"\frac{1}{45}", "45, 46", "(45, 0)",
        "45^2", "45!", "45_6", r"\{45,46\}", "45.01", "x>45", r"x \ge 45", r"[45,\infty)",
        "4500", "0.45", "45i", r"45\pi", r"\sqrt{45}", r"45\text{ or }46", r"\text{none}",
        r"4\cdot5", "45/2", r"\frac{45}{2}", "100-45", "45=46", "x=44", "45+1", r"45 \pm 1",
        r"\overline{45}", ".45", "45e1", r"45\times 10", "4 5 6", "4,5", r"\log 45", r"\ne 45",
        r"x \ne 45", r"\infty", r"\emptyset", "NaN", r"45\%\%\%x",
    ],
    "27.0": [
        "270", "2.7", "28", "27.1", "-27", "26",
    ],
    r"$\frac{1}{2},\sqrt{x}$": [
        r"\frac{1}{2}", r"\sqrt{x}", r"\frac12,x",
    ],
    "E_{1},E_{2}": [
        "E_1", "E_2", "E_1,E_3", "E_{2},E_{3}",
    ],
    "MR=SRMC": [
        "MR=LRMC", "MR", "MC=MR",
    ],
    "m": [
        "M", "n", "2m",
    ],
    r"\alpha": [
        r"\beta", "a", r"2\alpha",
    ],
    r"\ln 2 + i\pi / 3": [
        r"\ln 2 - i\pi/3", r"\ln 2", r"\log_{10} 2 + i\pi/3", r"2+i\pi/3",
    ],
    "6": [
        r"6\text{ or }7", "5.9", "60", r"\frac{1}{6}",
    ],
    r"(-\sqrt{3}, \sqrt{3})": [
        r"[-\sqrt3,\sqrt3]", "(-3,3)", r"(\sqrt3,-\sqrt3)", r"(-\sqrt{3},\sqrt{3}]", "|x|<3",
    ],
    "58,500": [
        "58", "500", "58,5", "58.500", "585000", "58,501", "58500.001", "58,500.001",
    ],
    "3, 5, 7": [
        "3,5", "3,5,7,9", "357", "3,5,8", "(7,5,3)", "[3,5,7]", "3+5+7", "15",
    ],
    "1,2,3,4": [
        "1234", "1,2,3", "10", r"\{1,2,3\}", r"1 \le n \le 4", "[1,4]",
    ],
    r"\$18.90": [
        "1890", r"\$1.89", "19", "18", r"\$18.91", r"18.9 \text{ cents}",
    ],
    r"\$36": [
        r"36 \text{ cents}", r"\$360", "36.001", r"\$36.001",
    ],
    "$221,$8$": [
        "2218", "221", "8", "221.8",
    ],
    "2500,7500": [
        "25007500", "2500", "10000", "7500",
    ],
    r"10,\!080": [
        "10", "80", "10.080", "10,08", "1080", "10081", "10080.001",
    ],
    "(8,-2)": [
        "8,2", "(-2,8)", "(8,2)", "[8,-2]", r"\{8,-2\}", "8-2", "(8,-2,0)",
    ],
    r"2.2 \tau": [
        r"2.3\tau", "2.2", "2.2 t", r"22\tau",
    ],
    "1.7": [
        "1.71", "1.6", "17",
    ],
    r"\frac{9}{256}": [
        "0.035", "0.0352", r"\frac{256}{9}", "0.03515624", "0.0351563",
    ],
}
"""By gold: answers that look like it and are not."""
