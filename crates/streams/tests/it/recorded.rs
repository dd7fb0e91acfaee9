//! Draws as they were recorded: a change here is a change of values that users will see.
//!
//! Where `golden` knows the answer from elsewhere, this only remembers. If a change is meant,
//! mark it VALUES in the changelog and run `./check bless`.

use windfall_streams::{
    Beta, Binomial, Distribution, Gamma, Multinomial, Poisson, Seed, Stream, Streams,
};

/// Returns the text of eight draws of each kind, stream by stream.
fn text() -> String {
    let mut lines = vec![
        "# Recorded from this implementation: seed 42, stream \"recorded\", task = line, from 0 on;"
            .to_owned(),
        "# each number is written so that it reads back to the same bits.".to_owned(),
    ];
    let mut draw = |name: &str, one: &dyn Fn(&mut Stream, &mut [f64])| {
        let mut stream = Streams::new(Seed(42), "recorded").task(lines.len() as u64 - 2);
        let mut out = [0.0; 8];
        one(&mut stream, &mut out);
        let numbers: Vec<String> = out.iter().map(|x| format!("{x:?}")).collect();
        lines.push(format!("{name} {}", numbers.join(" ")));
    };
    draw("normal", &|s, out| out.fill_with(|| s.normal()));
    draw("fill_normal", &|s, out| s.fill_normal(out));
    draw("exponential", &|s, out| s.fill_exponential(out));
    for (shape, scale) in [(0.1, 1.0), (0.75, 3.0), (1.0, 1.0), (50.0, 0.5)] {
        let law = Gamma::new(shape, scale).unwrap();
        draw(&format!("gamma({shape},{scale})"), &|s, out| law.fill(s, out));
    }
    for (a, b) in [(0.01, 0.02), (0.5, 2.0), (8.0, 3.0)] {
        let law = Beta::new(a, b).unwrap();
        draw(&format!("beta({a},{b})"), &|s, out| law.fill(s, out));
    }
    for mean in [0.5, 9.0, 10.0, 12345.0] {
        let law = Poisson::new(mean).unwrap();
        draw(&format!("poisson({mean})"), &|s, out| out.fill_with(|| law.draw(s) as f64));
    }
    for (n, p) in [(10, 0.3), (40, 0.5), (1_000_000, 0.999)] {
        let law = Binomial::new(n, p).unwrap();
        draw(&format!("binomial({n},{p})"), &|s, out| out.fill_with(|| law.draw(s) as f64));
    }
    let law = Multinomial::new(1000, &[1.0, 2.0, 3.0, 4.0, 4.0, 3.0, 2.0, 1.0]).unwrap();
    draw("multinomial", &|s, out| copy(law.draw(s).into_iter().map(|k| k as f64), out));
    draw("shuffle", &|s, out| {
        copy((0..8).map(f64::from), out);
        s.shuffle(out);
    });
    for n in [1000, 12] {
        draw(&format!("subset({n})"), &|s, out| {
            let mut chosen = [0; 8];
            s.subset(n, &mut chosen).unwrap();
            copy(chosen.into_iter().map(f64::from), out);
        });
    }
    lines.join("\n") + "\n"
}

fn copy(numbers: impl Iterator<Item = f64>, out: &mut [f64]) {
    out.iter_mut().zip(numbers).for_each(|(slot, x)| *slot = x);
}

#[test]
fn draws_are_as_recorded() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/draws.txt");
    let recorded = std::fs::read_to_string(path).unwrap_or_default();
    let found = text();
    if std::env::var_os("WINDFALL_BLESS").is_some() {
        std::fs::write(path, &found).expect(path);
        return;
    }
    assert!(found == recorded, "draws.txt should read:\n{found}");
}
